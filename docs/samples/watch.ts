// Watching customers change over graphql-transport-ws, by Apollo Client and by urql; each tells the first event that it hears.
// AFTER is the id of the event that was seen last, where there is one: nothing since then is missed.
import { ApolloClient, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { firstValueFrom } from 'rxjs';
import { WebSocket } from 'ws';
import { CustomerChangesDocument, type CustomerChangesSubscription } from './typed.js';

const { API_URL: url, API_KEY: key, AFTER: after } = process.env;

// The key goes into the first message: that works in browsers too, which need no webSocketImpl.
const socket = createClient({
  url: `${url!.replace(/^http/, 'ws')}/graphql`,
  connectionParams: { 'X-API-Key': key },
  webSocketImpl: WebSocket,
});

const apollo = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() });
const urql = new Client({
  url: `${url}/graphql`,
  exchanges: [
    subscriptionExchange({
      forwardSubscription: ({ query = '', variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});

const byApollo = firstValueFrom(apollo.subscribe({ query: CustomerChangesDocument, variables: { after } }));
const byUrql = new Promise<CustomerChangesSubscription | undefined>((resolve, reject) => {
  const heard = urql.subscription(CustomerChangesDocument, { after }).subscribe(({ data, error }) => {
    if (error) reject(error);
    else resolve(data);
    heard?.unsubscribe();
  });
});

console.log(JSON.stringify({ apollo: (await byApollo).data, urql: await byUrql }));
apollo.stop();
await socket.dispose();

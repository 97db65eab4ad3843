// Apollo Client: persisted queries by GET, all pages by Relay's field policy, a mutation that keeps the cache right.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { CustomerByIdDocument, CustomerNamesDocument, RenameDocument } from './typed.js';

const { API_URL: url, API_KEY: key } = process.env;
const requests: string[] = [];

/** Notes how each request went: its method, and whether the document travelled with it. */
const noted: typeof fetch = (input, init) => {
  const sent = `${input}${init?.body ?? ''}`;
  requests.push(`${init?.method} ${/[?&"]query[="]/.test(sent) ? 'document' : 'hash'}`);
  return fetch(input, init);
};

const client = new ApolloClient({
  link: ApolloLink.from([
    new PersistedQueryLink({
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
      useGETForHashedQueries: true,
    }),
    new HttpLink({ uri: `${url}/graphql`, headers: { 'X-API-Key': key! }, fetch: noted }),
  ]),
  cache: new InMemoryCache({
    typePolicies: { Query: { fields: { customers: relayStylePagination() } } },
  }),
});

// Every page, one after the other; the cache puts them together.
const pages = client.watchQuery({ query: CustomerNamesDocument, variables: { first: 40 } });
const shown = pages.subscribe(() => {});
let page = (await client.query({ query: CustomerNamesDocument, variables: { first: 40 } })).data?.customers;
while (page?.pageInfo.hasNextPage) {
  page = (await pages.fetchMore({ variables: { after: page.pageInfo.endCursor } })).data?.customers;
}
shown.unsubscribe();
const everyone = client.readQuery({ query: CustomerNamesDocument, variables: { first: 40 } })?.customers.edges ?? [];

// A change of what was read; the cache has the new name without another request.
const first = everyone[0]!.node.id;
const read = await client.query({ query: CustomerByIdDocument, variables: { id: first } });
const { version, lastName } = read.data!.customer!;
await client.mutate({ mutation: RenameDocument, variables: { id: first, version, lastName: `${lastName}-Meyer` } });
const cached = client.readQuery({ query: CustomerByIdDocument, variables: { id: first } })?.customer;

// The same again: somebody else was faster, and the problem says so.
let refused: unknown;
try {
  await client.mutate({ mutation: RenameDocument, variables: { id: first, version, lastName } });
} catch (error) {
  if (!CombinedGraphQLErrors.is(error)) throw error;
  refused = error.errors[0]?.extensions?.['status'];
}

const ids = new Set(everyone.map((edge) => edge.node.id));
console.log(JSON.stringify({ customers: ids.size, edges: everyone.length, cached, refused, requests }));
client.stop();

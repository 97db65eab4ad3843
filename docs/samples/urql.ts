// urql: persisted queries, all pages by Relay's pagination of Graphcache, a mutation that keeps the cache right.
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
import { CustomerByIdDocument, CustomerNamesDocument, RenameDocument } from './typed.js';

const { API_URL: url, API_KEY: key } = process.env;
const requests: string[] = [];

/** Notes how each request went: its method, and whether the document travelled with it. */
const noted: typeof fetch = (input, init) => {
  const sent = `${input}${init?.body ?? ''}`;
  requests.push(`${init?.method ?? 'GET'} ${/[?&"]query[="]/.test(sent) ? 'document' : 'hash'}`);
  return fetch(input, init);
};

const client = new Client({
  url: `${url}/graphql`,
  fetch: noted,
  fetchOptions: { headers: { 'X-API-Key': key! } },
  exchanges: [
    cacheExchange({ resolvers: { Query: { customers: relayPagination() } } }),
    persistedExchange({ preferGetForPersistedQueries: true }),
    fetchExchange,
  ],
});

// Every page, one after the other; the cache puts them together.
let after: string | null = null;
let connection;
do {
  const answer = await client.query(CustomerNamesDocument, { first: 40, after }).toPromise();
  if (answer.error) throw answer.error;
  connection = answer.data!.customers;
  after = connection.pageInfo.hasNextPage ? (connection.pageInfo.endCursor ?? null) : null;
} while (after);
const everyone = connection.edges;

const first = everyone[0]!.node.id;
const read = await client.query(CustomerByIdDocument, { id: first });
const { version, lastName } = read.data!.customer!;
await client.mutation(RenameDocument, { id: first, version, lastName: `${lastName}-Meyer` });
const cached = client.readQuery(CustomerByIdDocument, { id: first })?.data?.customer;

const late = await client.mutation(RenameDocument, { id: first, version, lastName });
const refused = late.error?.graphQLErrors[0]?.extensions['status'];

const ids = new Set(everyone.map((edge) => edge.node.id));
console.log(JSON.stringify({ customers: ids.size, edges: everyone.length, cached, refused, requests }));

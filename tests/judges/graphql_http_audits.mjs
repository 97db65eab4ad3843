/**
 * Run graphql-http's server audits against a gateway and print {total, ok, failures} as JSON.
 *
 * Usage: GATEWAY_KEY=… node graphql_http_audits.mjs http://127.0.0.1:8000/graphql
 */
import { auditServer } from 'graphql-http';

const key = process.env.GATEWAY_KEY ?? '';
const url = process.argv[2];

/** fetch, with the API key; the audits themselves know no credentials. */
const fetchFn = (address, options = {}) =>
  fetch(address, { ...options, headers: { ...options.headers, 'X-API-Key': key } });

const results = await auditServer({ url, fetchFn });
const failures = results
  .filter(({ status }) => status !== 'ok')
  .map(({ id, name, status, reason }) => ({ id, name, status, reason }));
console.log(JSON.stringify({ total: results.length, ok: results.length - failures.length, failures }));

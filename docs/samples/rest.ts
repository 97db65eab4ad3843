// REST with openapi-typescript and openapi-fetch: create a customer, change it unless somebody else was faster, erase it.
import createClient from 'openapi-fetch';
import type { components, paths } from './openapi.js';

type CustomerInput = components['schemas']['CustomerInput'];

const { API_URL: baseUrl, API_KEY: key } = process.env;
// The plain form of answers, and problems: the other form is for clients that ask for it.
const gateway = createClient<paths, 'application/json' | 'application/problem+json'>({
  baseUrl: baseUrl!,
  headers: { 'X-API-Key': key! },
});

const input: CustomerInput = {
  firstName: 'Ada',
  lastName: 'Lovelace',
  email: 'ada@example.com',
  addresses: [
    { type: 'home', street1: '12 St James’s Square', city: 'London', state: 'LDN', postalCode: 'SW1Y 4JH', country: 'GB' },
  ],
  phoneNumbers: [{ type: 'mobile', countryCode: '+44', number: '20 7946 0000' }],
  notificationPreferences: { email: true, sms: false, push: false, mail: true },
};

const created = await gateway.POST('/api/v1/customers', { body: input });
if (!created.data) throw new Error(created.error.detail);
const tag = created.response.headers.get('ETag')!;

/** Gives the customer another last name; null where it has changed since `etag`. */
async function rename(customerId: string, etag: string, lastName: string): Promise<string | null> {
  const { data, error, response } = await gateway.PATCH('/api/v1/customers/{customerId}', {
    params: { path: { customerId }, header: { 'If-Match': etag } },
    body: { lastName },
  });
  if (data) return response.headers.get('ETag');
  if (error.status === 412) return null;
  throw new Error(error.detail);
}

const { id } = created.data;
const renamed = await rename(id, tag, 'King');
const late = await rename(id, tag, 'Byron');

const found = await gateway.GET('/api/v1/customers', { params: { query: { lastName: 'King', fields: 'lastName' } } });
const names = found.data?.content.map((customer) => customer.lastName);

const erased = await gateway.DELETE('/api/v1/customers/{customerId}', { params: { path: { customerId: id } } });

console.log(JSON.stringify({ created: created.response.status, renamed, late, names, erased: erased.response.status }));

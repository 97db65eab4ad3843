// What a client written in TypeScript says of the gateway; it compiles only while OpenAPI says the same.
import type { components, operations, paths } from './openapi.js';

type Customer = components['schemas']['Customer'];
type CustomerInput = components['schemas']['CustomerInput'];
type Problem = components['schemas']['Problem'];
type Page = paths['/api/v1/customers']['get']['responses'][200]['content']['application/json'];
type Enveloped =
  paths['/api/v1/customers/{customerId}']['get']['responses'][200]['content']['application/json;profile=enveloped'];
type Replace = operations['replaceCustomer']['parameters'];

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

// A change cannot be asked for without the ETag of what was read.
const replace: Replace = {
  path: { customerId: 'd68825b3-830c-44f8-953e-a8b5cd943aa8' },
  header: { 'If-Match': '"v1-d68825b3"' },
};

// @ts-expect-error fax is no kind of phone number.
const fax: CustomerInput['phoneNumbers'][number]['type'] = 'fax';

export const names = (page: Page): string[] => page.content.map(({ firstName, lastName }) => `${firstName} ${lastName}`);
export const opened = ({ customer }: Enveloped): Customer => customer;
export const faults = (problem: Problem): string[] => (problem.errors ?? []).map(({ field, message }) => `${field} ${message}`);
export const used = [input, replace, fax] as const;

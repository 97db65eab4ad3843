/**
 * The customer in the last answer. Examples are opened with its ids and version, so that they work as they stand:
 * create one, and "Update" changes that one.
 */

import type { Headers } from './tokens';

interface Part { id?: string }
interface SeenCustomer { id: string; version: number; email?: string; addresses?: Part[]; phoneNumbers?: Part[] }

let seen: SeenCustomer | null = null;

/** Takes note of an answer; one of a dry run shows a customer that is not there, and one of a deletion ends it. */
export function remember(params: { query?: string; variables?: Record<string, unknown> | null }, result: { data?: unknown }): void {
  if (/\bdryRun:\s*true/.test(params.query ?? '') || params.variables?.['dryRun'] === true) return;
  const found = findCustomer(result.data);
  if (!found) return;
  if ('deletedAt' in found) seen = null;
  else seen = found.id === seen?.id ? { ...seen, ...found } : found;
}

function findCustomer(value: unknown): SeenCustomer | null {
  if (!value || typeof value !== 'object') return null;
  if ('id' in value && 'version' in value && typeof value.id === 'string' && typeof value.version === 'number') return value as SeenCustomer;
  for (const inner of Object.values(value)) {
    const found = findCustomer(inner);
    if (found) return found;
  }
  return null;
}

/** The customer seen last with all that examples need; where none was seen, the newest that these headers' credentials may read. */
async function lookUp(headers: Headers): Promise<void> {
  const fields = 'id version email addresses { id } phoneNumbers { id }';
  const query = seen ? `{ customer(id: "${seen.id}") { ${fields} } }` : `{ customers(last: 1) { nodes { ${fields} } } }`;
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { Accept: 'application/graphql-response+json', 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
    if (response.ok) remember({ query }, (await response.json()) as { data?: unknown });
  } catch (fault) {
    console.info('No customer could be looked up for the example.', fault);
  }
}

/**
 * The variables of an example, where they name a customer, its version or a part of it: with those last seen, or looked
 * up with these headers.
 */
export async function filled(variables: Record<string, unknown>, headers: Headers): Promise<Record<string, unknown>> {
  const wanted = ['customerId', 'ids', 'ifVersion', 'email'].some((name) => name in variables);
  const lacking = !seen || ('addressId' in variables && !seen.addresses) || ('phoneNumberId' in variables && !seen.phoneNumbers);
  if (wanted && lacking && Object.keys(headers).length > 0) await lookUp(headers);
  const known: Record<string, unknown> = seen
    ? {
        customerId: seen.id,
        ids: [seen.id],
        ifVersion: seen.version,
        email: seen.email,
        addressId: seen.addresses?.at(-1)?.id,
        phoneNumberId: seen.phoneNumbers?.at(-1)?.id,
      }
    : {};
  const given = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, known[name] ?? value]));
  return withOwnEmail(given);
}

/** E-mail addresses are unique: a new customer gets one that is free, a replaced one keeps its own. */
function withOwnEmail(variables: Record<string, unknown>): Record<string, unknown> {
  const input = variables['input'];
  if (!input || typeof input !== 'object' || !('email' in input) || typeof input.email !== 'string') return variables;
  const own = 'customerId' in variables ? seen?.email : undefined;
  const free = input.email.replace('@', `.${crypto.getRandomValues(new Uint16Array(1))[0]}@`);
  return { ...variables, input: { ...input, email: own ?? free } };
}

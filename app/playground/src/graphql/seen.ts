/**
 * The customer in the last answer. Examples are opened with its ids and version, so that they work as they stand:
 * create one, and "Update" changes that one.
 */

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

/** The variables of an example, where they name a customer, its version or a part of it: with those last seen. */
export function filled(variables: Record<string, unknown>): Record<string, unknown> {
  if (!seen) return variables;
  const known: Record<string, unknown> = {
    customerId: seen.id,
    ids: [seen.id],
    ifVersion: seen.version,
    email: seen.email,
    addressId: seen.addresses?.at(-1)?.id,
    phoneNumberId: seen.phoneNumbers?.at(-1)?.id,
  };
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, known[name] ?? value]));
}

import { NoTwin } from './refusal.js';
import { lower, upper, withoutNulls } from './values.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Json} Json
 * @typedef {import('./requests.js').Request} Request
 * @typedef {import('graphql').GraphQLInputType} InputType
 */

/** The ETag of a version. @param {Doors} doors @param {number} version @param {unknown} id */
export const tagOf = (doors, version, id) => doors.etag.replace('{version}', String(version)).replace('{prefix}', String(id).slice(0, 8));

/** The version that an ETag names; none for `*`. @param {Doors} doors @param {string | undefined} tags */
export function versionOf(doors, tags) {
  const pattern = doors.etag.replace('{version}', '(\\d+)').replace('{prefix}"', '');
  const found = new RegExp(pattern).exec(tags ?? '');
  return found ? Number(found[1]) : undefined;
}

/** The body of a batch: each operation with its kind in `op`. @param {Doors} doors @param {unknown} operations @param {InputType} type @param {unknown} atomic @returns {Json} */
export function batchBody(doors, operations, type, atomic) {
  const sent = /** @type {Json[]} */ ([lower(operations, type)].flat());
  return { operations: sent.map((one) => restOperation(doors, one)), atomic };
}

/** @param {Doors} doors @param {Json} operation */
function restOperation(doors, operation) {
  const [op = '', given] = Object.entries(operation).find(([, value]) => value) ?? [];
  if (op === 'create') return { op, customer: withoutNulls(given) };
  const version = given.ifVersion == null ? {} : { ifMatch: tagOf(doors, given.ifVersion, given.id) };
  const customer = given.input ? { customer: withoutNulls(given.input) } : {};
  return { op, id: given.id, ...version, ...customer, ...(given.patch ? { patch: given.patch } : {}) };
}

/** The operations of a batch, or of a PUT or PATCH of the collection; none where the body holds none. @param {Doors} doors @param {Request} request @param {InputType} type @param {string[]} unknown @returns {unknown} */
export function batchOperations(doors, { body, method }, type, unknown) {
  const op = method === 'PUT' ? 'replace' : 'update';
  const sent = Array.isArray(body) ? body.map((one) => ({ op, ...one })) : /** @type {Json | undefined} */ (body)?.['operations'];
  return Array.isArray(sent) ? upper(sent.map((one) => graphqlOperation(doors, one)), type, unknown) : undefined;
}

/** @param {Doors} doors @param {Json} operation */
function graphqlOperation(doors, { op, id, ifMatch, customer, patch, ...members }) {
  if (op === 'create') return { create: customer };
  if (Array.isArray(patch)) throw new NoTwin('A JSON Patch has no twin: GraphQL changes whole fields.');
  const ifVersion = versionOf(doors, ifMatch);
  if (ifVersion === undefined && op !== 'delete') throw new NoTwin('GraphQL needs the version that each change is made from: send ifMatch with an ETag, not without or with *.');
  const version = ifVersion === undefined ? {} : { ifVersion };
  if (op === 'delete') return { delete: { id, ...version } };
  return { [op]: op === 'replace' ? { id, input: customer ?? members, ...version } : { id, patch, ...version } };
}

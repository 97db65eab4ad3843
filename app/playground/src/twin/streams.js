// What is followed: a subscription of GraphQL, and the server-sent events of REST. The last event's id goes as a header there.
import { getNamedType, isLeafType, isObjectType } from 'graphql';
import { Writer, brackets } from './graphql-parts.js';
import { NoTwin } from './refusal.js';
import { requestOf } from './rest-parts.js';
import { below } from './selections.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Operation} Operation
 * @typedef {import('./selections.js').Run} Run
 * @typedef {import('./selections.js').Selected} Selected
 */

const KIND = 'customer.';
const POSITION = 'Last-Event-ID';

/** @param {Doors} doors @param {Run} run @param {Selected} root @param {Operation} operation @returns {import('./rest-parts.js').RestTwin} */
export function streamTwin(doors, run, root, operation) {
  const { after, types = [], ids = [] } = root.args;
  /** @type {[string, string][]} */ const query = [
    ...types.map((/** @type {string} */ type) => ['types', KIND + type.toLowerCase()]),
    ...ids.map((/** @type {string} */ id) => ['ids', id]),
  ];
  const headers = after === undefined ? {} : { [POSITION]: String(after) };
  const request = { ...requestOf(doors, operation, []), query, headers, stream: true };
  const whole = below(run, root).some((one) => isObjectType(getNamedType(/** @type {any} */ (one.field).type)));
  const notes = ['It goes on until it is stopped.', ...(whole ? ['REST tells which parts have changed and never the customer itself: read it by its id.'] : [])];
  return { operation: operation.name, request, notes };
}

/** @param {import('graphql').GraphQLSchema} schema @param {Operation} operation @param {import('./graphql-parts.js').Asked} asked @param {string[]} notes @returns {import('./graphql-parts.js').GraphQLTwin} */
export function subscriptionOf(schema, operation, { request, given }, notes) {
  const name = operation.graphql[0]?.split('.')[1] ?? '';
  const field = schema.getSubscriptionType()?.getFields()[name];
  const event = field && getNamedType(field.type);
  if (!field || !isObjectType(event)) throw new NoTwin('The operation has no field of its own.');
  /** @type {Record<string, unknown>} */ const values = {
    ids: each(given['ids']),
    types: each(given['types'])?.map((type) => type.replace(KIND, '').toUpperCase()),
    after: request.headers[POSITION.toLowerCase()],
  };
  const writer = new Writer(operation);
  const args = field.args.flatMap((arg) => (values[arg.name] === undefined ? [] : [writer.argument(arg.name, arg.name, String(arg.type), values[arg.name])]));
  const shown = Object.values(event.getFields()).filter((one) => isLeafType(getNamedType(one.type))).map((one) => one.name);
  return writer.document('subscription', `${name}${brackets(args)} { ${shown.join(' ')} }`, notes);
}

/** Values by repetition, or separated by commas. @param {string[] | undefined} given */
const each = (given) => given?.flatMap((value) => value.split(',').map((one) => one.trim()));

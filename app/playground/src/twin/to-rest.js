import { getOperationAST, getVariableValues, parse, validate } from 'graphql';
import { NoTwin } from './refusal.js';
import { batchBody, tagOf } from './batches.js';
import { listTwin } from './lists.js';
import { below, collect } from './selections.js';
import { fieldsParameter, requestOf } from './rest-parts.js';
import { lower, withoutNulls } from './values.js';
import { streamTwin } from './streams.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Operation} Operation
 * @typedef {import('./selections.js').Run} Run
 * @typedef {import('./selections.js').Selected} Selected
 * @typedef {import('./rest-parts.js').RestTwin} RestTwin
 */

/**
 * The requests of REST that are equal to a GraphQL operation, one for each root field; throws NoTwin.
 * @param {Doors} doors @param {import('graphql').GraphQLSchema} schema
 * @param {string} text @param {Record<string, unknown>} variables @param {string | null} [operationName]
 * @returns {RestTwin[]}
 */
export function toRest(doors, schema, text, variables, operationName) {
  const run = read(schema, text, variables, operationName);
  const roots = collect(run, [run.operation.selectionSet], run.type);
  if (roots.length === 0) throw new NoTwin('Nothing is asked for.');
  return roots.map((root) => restTwin(doors, run, root));
}

/** @param {import('graphql').GraphQLSchema} schema @param {string} text @param {Record<string, unknown>} variables @param {string | null | undefined} name */
function read(schema, text, variables, name) {
  let document;
  try {
    document = parse(text);
  } catch (fault) {
    throw new NoTwin(text.trim() ? `The document cannot be read: ${/** @type {Error} */ (fault).message}` : 'There is no operation in the editor.');
  }
  const [wrong] = validate(schema, document);
  if (wrong) throw new NoTwin(`The document does not fit the schema: ${wrong.message}`);
  const operation = getOperationAST(document, name);
  if (!operation) throw new NoTwin('There are several operations: place the cursor in one of them.');
  const type = schema.getRootType(operation.operation);
  if (!type) throw new NoTwin(`There is no ${operation.operation}.`);
  const values = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  if (values.errors) throw new NoTwin(values.errors[0]?.message ?? 'The variables do not fit.');
  return { schema, document, operation, type, variables: values.coerced };
}

/** @param {Doors} doors @param {Run & {type: import('graphql').GraphQLObjectType}} run @param {Selected} root @returns {RestTwin} */
function restTwin(doors, run, root) {
  if (root.name.startsWith('__')) throw new NoTwin('REST describes itself at /openapi.json; introspection has no other twin.');
  const field = `${run.type.name}.${root.name}`;
  const candidates = doors.operations.filter((one) => one.graphql.includes(field));
  const [first] = candidates;
  if (!first) throw new NoTwin(`${root.name} has no operation in REST.`);
  if (run.type === run.schema.getMutationType()) return mutationTwin(doors, first, root);
  if (run.type === run.schema.getSubscriptionType()) return streamTwin(doors, run, root, first);
  if (root.field?.args.some((one) => one.name === 'filter')) return listTwin(doors, run, root, candidates);
  if (first.rest[0]?.includes('{customerId}')) return customerTwin(doors, run, root, first);
  return first.rest[0]?.split('?')[0]?.includes('{') ? pathTwin(doors, root, first) : plainTwin(doors, run, root, first);
}

/** One customer, or one part of it where nothing else is selected. @param {Doors} doors @param {Run} run @param {Selected} root @param {Operation} whole @returns {RestTwin} */
function customerTwin(doors, run, root, whole) {
  const fields = below(run, root);
  const withArguments = fields.filter((one) => one.field?.args.length);
  const part = fields.length === 1 ? doors.operations.find((one) => one.graphql.includes(`Customer.${fields[0]?.name}`)) : undefined;
  const ids = Object.values(root.args);
  if (part) {
    return { operation: part.name, request: requestOf(doors, part, [...ids, ...Object.values(fields[0]?.args ?? {})]), notes: ['REST shows every field of it.'] };
  }
  if (withArguments.length) throw new NoTwin(`${withArguments[0]?.name} beside other fields: REST reads one part by a request of its own.`);
  const request = requestOf(doors, whole, ids);
  const { query, notes } = fieldsParameter(doors, run, fields);
  return { operation: whole.name, request: { ...request, query }, notes };
}

/** A question whose ids stand in the path, all else in the query. @param {Doors} doors @param {Selected} root @param {Operation} operation @returns {RestTwin} */
function pathTwin(doors, root, operation) {
  const args = (root.field?.args ?? []).filter((one) => root.args[one.name] !== undefined);
  const ids = args.filter((one) => String(one.type).startsWith('ID')).map((one) => root.args[one.name]);
  const others = args.filter((one) => !String(one.type).startsWith('ID'));
  /** @type {[string, string][]} */ const query = others.map((one) => [one.name, String(lower(root.args[one.name], one.type))]);
  return { operation: operation.name, request: { ...requestOf(doors, operation, ids), query }, notes: [] };
}

/** A question whose route has its arguments in the query, or none. @param {Doors} doors @param {Run} run @param {Selected} root @param {Operation} operation @returns {RestTwin} */
function plainTwin(doors, run, root, operation) {
  const route = operation.rest[0] ?? '';
  if (route.split('?')[0]?.includes('{')) return { operation: operation.name, request: requestOf(doors, operation, Object.values(root.args)), notes: [] };
  const names = [...new Set([...route.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? ''))];
  /** @type {[string, string][]} */ const query = names.flatMap((name) => {
    const value = root.args[name] ?? root.args[`${name}s`];
    return (Array.isArray(value) ? value : [value]).map((one) => /** @type {[string, string]} */ ([name, String(one)]));
  });
  const request = requestOf(doors, operation, []);
  if (names.length === 0) return { operation: operation.name, request, notes: [] };
  const size = query.length > 25 ? [/** @type {[string, string]} */ (['size', String(query.length)])] : [];
  const { query: fields, notes } = fieldsParameter(doors, run, below(run, root));
  const told = [`REST answers a list${query.length > 1 ? ' in its own order, without gaps for what is not there' : ': of one customer, or empty'}.`, ...notes];
  return { operation: operation.name, request: { ...request, query: [...query, ...size, ...fields] }, notes: told };
}

/** @param {Doors} doors @param {Operation} operation @param {Selected} root @returns {RestTwin} */
function mutationTwin(doors, operation, root) {
  const { ifVersion, idempotencyKey, dryRun, input, patch, operations, atomic, ...rest } = root.args;
  const types = Object.fromEntries((root.field?.args ?? []).map((one) => [one.name, one.type]));
  const isId = (/** @type {string} */ name) => String(types[name]).startsWith('ID');
  const other = Object.keys(rest).find((name) => !isId(name));
  if (other) throw new NoTwin(`${other} has no counterpart in REST.`);
  const ids = Object.values(rest);
  const request = requestOf(doors, operation, ids);
  if (ifVersion !== undefined) request.headers['If-Match'] = tagOf(doors, ifVersion, ids[0]);
  if (idempotencyKey !== undefined) request.headers['Idempotency-Key'] = idempotencyKey;
  if (dryRun) request.query.push(['dryRun', 'true']);
  const one = input === undefined ? patch && lower(patch, /** @type {any} */ (types['patch'])) : withoutNulls(lower(input, /** @type {any} */ (types['input'])));
  const body = operations === undefined ? one : batchBody(doors, operations, /** @type {any} */ (types['operations']), atomic);
  if (body !== undefined) {
    request.headers['Content-Type'] = request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    request.body = body;
  }
  return { operation: operation.name, request, notes: answerNotes(request) };
}

/** @param {import('./requests.js').Request} request */
function answerNotes({ method, path }) {
  if (method === 'DELETE' && /\/customers\/./.test(path)) return ['REST answers 204 without a body.'];
  return /\/customers\/[^/]+\/./.test(path) ? ['REST answers what was changed, GraphQL the customer.'] : [];
}

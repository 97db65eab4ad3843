import { getNamedType, isInputObjectType, isListType, isNonNullType, isObjectType } from 'graphql';
import { batchOperations, versionOf } from './batches.js';
import { Writer, brackets, defaultPaths, shownPaths } from './graphql-parts.js';
import { NoTwin, camelCase } from './refusal.js';
import { listQuestion } from './questions.js';
import { readRequest } from './requests.js';
import { subscriptionOf } from './streams.js';
import { everything, selectionOf, upper } from './values.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Operation} Operation
 * @typedef {import('./refusal.js').Json} Json
 * @typedef {import('./graphql-parts.js').Asked} Asked
 * @typedef {import('./graphql-parts.js').GraphQLTwin} GraphQLTwin
 * @typedef {import('./requests.js').Request} Request
 */

/**
 * The GraphQL operation that is equal to a request of REST, an address or a curl line; throws NoTwin.
 * @param {Doors} doors @param {import('graphql').GraphQLSchema} schema @param {string} text
 * @returns {GraphQLTwin}
 */
export function toGraphQL(doors, schema, text) {
  const asked = match(doors, readRequest(text));
  const operation = chosen(doors, asked);
  if (operation.alone) throw new NoTwin(`This is at REST alone: ${operation.alone}`);
  const notes = headerNotes(asked.request);
  if (operation.graphql[0]?.startsWith('Mutation.')) return mutation(doors, schema, operation, asked, notes);
  if (operation.graphql[0]?.startsWith('Subscription.')) return subscriptionOf(schema, operation, asked, notes);
  const root = schema.getQueryType()?.getFields()[operation.graphql[0]?.replace('Query.', '') ?? ''];
  const list = root?.args.some((arg) => arg.name === 'filter') && doors.parameters[asked.route]?.['filter'];
  if (list) return listQuestion(doors, schema, operation, asked, notes);
  return question(doors, schema, operation, asked, notes);
}

/** @param {Doors} doors @param {Request} request @returns {Asked} */
function match(doors, request) {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (request.path === '/graphql') throw new NoTwin('This is a request of GraphQL already.');
  if (request.path !== doors.alias && !request.path.startsWith(`${doors.prefix}/`)) throw new NoTwin(`Only addresses under ${doors.prefix} have a twin.`);
  const path = request.path === doors.alias ? doors.alias : request.path.slice(doors.prefix.length);
  const routes = [...new Set(doors.operations.flatMap((one) => one.rest.map((route) => route.split('?')[0] ?? '')))];
  const here = routes.flatMap((route) => {
    const found = new RegExp(`^${route.split(' ')[1]?.replace(/\{\w+\}/g, '([^/:]+)')}$`).exec(path);
    return found ? [{ route, ids: found.slice(1) }] : [];
  });
  if (here.length === 0) throw new NoTwin(`No operation has the address ${path}.`);
  const matched = here.find((one) => one.route.startsWith(`${method} `));
  if (!matched) throw new NoTwin(`${method} does not work there; ${here.map((one) => one.route.split(' ')[0]).join(', ')} do.`);
  return { ...matched, request, given: parametersOf(doors, matched.route, request) };
}

/** @param {Doors} doors @param {string} route @param {Request} request */
function parametersOf(doors, route, request) {
  const known = doors.parameters[route] ?? {};
  /** @type {Record<string, string[]>} */ const given = {};
  const pairs = route.endsWith(':search') ? Object.entries(/** @type {Json} */ (request.body ?? {})).flatMap(([name, value]) => [value].flat().map((one) => [name, one])) : request.query;
  for (const [name = '', value] of pairs) {
    const first = known[name];
    if (!first) throw new NoTwin(`There is no parameter ${name} there.`);
    given[first] = [...(given[first] ?? []), String(value)];
  }
  return given;
}

/** The operation of a route: of several, the one whose parameters are the ones given. @param {Doors} doors @param {Asked} asked @returns {Operation} */
function chosen(doors, { route, given }) {
  const beside = new Set(['size', 'fields']);
  const names = Object.keys(given).filter((name) => !beside.has(name)).join();
  const candidates = doors.operations.filter((one) => one.rest.some((other) => other.split('?')[0] === route));
  const special = candidates.find((one) => {
    const query = new URLSearchParams(one.rest[0]?.split('?')[1]);
    return query.size > 0 && [...new Set(query.keys())].join() === names;
  });
  const explains = given['explain']?.[0] === 'true' || given['explain']?.[0] === '1';
  const found = explains ? candidates.find((one) => one.rest[0]?.endsWith('?explain=true')) : names === 'explain' || names === 'count' ? undefined : special;
  return found ?? /** @type {Operation} */ (candidates.find((one) => one.rest.includes(route)));
}

/** @param {Request} request */
function headerNotes({ headers, method }) {
  const notes = [];
  if (method === 'HEAD') notes.push('HEAD shows the headers alone; GraphQL answers the whole.');
  if (headers['if-none-match']) notes.push('If-None-Match has no twin: GraphQL answers whether or not it has changed.');
  if (headers['prefer']?.includes('handling=strict')) notes.push('GraphQL always refuses what it does not know.');
  if (headers['accept']?.includes('enveloped')) notes.push('GraphQL knows no envelopes.');
  return notes;
}

/** One customer, a part, or what stands under a name of its own. @param {Doors} doors @param {import('graphql').GraphQLSchema} schema @param {Operation} operation @param {Asked} asked @param {string[]} notes @returns {GraphQLTwin} */
function question(doors, schema, operation, asked, notes) {
  const [owner = '', name = ''] = (operation.graphql[0] ?? '').split('.');
  const type = schema.getType(owner);
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (!field) throw new NoTwin('The operation has no field of its own.');
  const paths = owner === 'Query' ? shownPaths(doors, asked) : undefined;
  const returned = getNamedType(field.type);
  const full = isObjectType(returned) && returned.name === 'Customer' ? `${selectionOf(paths ?? defaultPaths(doors))}${asked.given['fields'] ? '' : ' version etag'}` : '';
  const inner = full || (returned && isObjectType(returned) ? everything(returned) : `id ... on Customer { ${selectionOf((paths ?? defaultPaths(doors)).filter((path) => path !== 'id'))} }`);
  const writer = new Writer(operation);
  const names = [...(operation.rest[0] ?? '').matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '');
  const values = names.map((one, index) => asked.ids[index] ?? asked.given[one]);
  if (owner === 'Query') {
    if (asked.ids.length && paths && returned?.name !== 'Customer' && names.length === asked.ids.length) return byPath(writer, field, name, asked, names, inner, notes);
    const args = field.args.map((arg, index) => writer.argument(arg.name, asked.ids.length ? (names[index] ?? arg.name) : arg.name, String(arg.type), isList(arg.type) ? values[index] : [values[index]].flat()[0]));
    return writer.document('query', `${name}${brackets(args)} { ${inner} }`, notes);
  }
  const parent = doors.operations.find((one) => one.graphql[0] === `Query.${owner[0]?.toLowerCase()}${owner.slice(1)}`)?.graphql[0]?.split('.')[1];
  if (!parent) throw new NoTwin('The operation has no field of its own.');
  const [customer, ...own] = names.map((one, index) => [one, values[index]]);
  const outer = writer.argument('id', String(customer?.[0]), 'ID!', customer?.[1]);
  const args = own.map(([one, value]) => writer.argument('id', String(one), 'ID!', value));
  return writer.document('query', `${parent}(${outer}) { ${name}${brackets(args)} { ${inner} } }`, notes);
}

/** @param {Writer} writer @param {import('graphql').GraphQLField<unknown, unknown>} field @param {string} name @param {Asked} asked @param {string[]} names @param {string} inner @param {string[]} notes @returns {GraphQLTwin} */
function byPath(writer, field, name, asked, names, inner, notes) {
  const left = [...asked.ids];
  const args = field.args.flatMap((arg) => {
    if (getNamedType(arg.type).name === 'ID') return [writer.argument(arg.name, names[asked.ids.length - left.length] ?? arg.name, String(arg.type), left.shift())];
    const given = asked.given[arg.name]?.[0];
    if (given === undefined) return [];
    const value = getNamedType(arg.type).name === 'Int' ? Number(given) : upper(given, arg.type, []);
    return [writer.argument(arg.name, arg.name, String(arg.type), value)];
  });
  return writer.document('query', `${name}${brackets(args)} { ${inner} }`, notes);
}

/** @param {import('graphql').GraphQLInputType} type */
const isList = (type) => isListType(isNonNullType(type) ? type.ofType : type);

/** @param {Doors} doors @param {import('graphql').GraphQLSchema} schema @param {Operation} operation @param {Asked} asked @param {string[]} notes @returns {GraphQLTwin} */
function mutation(doors, schema, operation, asked, notes) {
  const name = operation.graphql[0]?.split('.')[1] ?? '';
  const field = schema.getMutationType()?.getFields()[name];
  if (!field) throw new NoTwin('The operation has no field of its own.');
  const names = [...asked.route.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '');
  const other = Object.keys(asked.given).find((one) => !['dryRun', 'resource'].includes(one));
  if (other) throw new NoTwin(`${other} has no counterpart in GraphQL.`);
  const writer = new Writer(operation);
  let left = asked.ids.map((id, index) => ({ name: names[index] ?? '', id }));
  const args = field.args.flatMap((arg) => {
    const type = String(arg.type);
    const id = getNamedType(arg.type).name === 'ID' ? left.shift() : undefined;
    if (id) return [writer.argument(arg.name, id.name, type, id.id)];
    const value = argumentOf(doors, asked, arg, notes);
    if (value !== undefined) return [writer.argument(arg.name, arg.name, type, value)];
    if (type.endsWith('!') && arg.defaultValue === undefined) throw new NoTwin(missing(arg.name));
    return [];
  });
  const key = asked.request.headers['idempotency-key'];
  if (key && !field.args.some((arg) => arg.name === 'idempotencyKey')) notes.push('Idempotency-Key has no argument in GraphQL here.');
  return writer.document('mutation', `${name}${brackets(args)} { ${answerOf(doors, field, asked)} }`, notes);
}

/** @param {string} name */
function missing(name) {
  if (name === 'ifVersion') return 'GraphQL needs the version that the change is made from: send If-Match with an ETag, not without or with *.';
  return `The request has no body, and GraphQL needs ${name}.`;
}

/** @param {Doors} doors @param {Asked} asked @param {import('graphql').GraphQLArgument} arg @param {string[]} notes */
function argumentOf(doors, { request, given, route }, arg, notes) {
  if (arg.name === 'ifVersion') return versionOf(doors, request.headers['if-match']);
  if (arg.name === 'idempotencyKey') return request.headers['idempotency-key'];
  if (arg.name === 'dryRun') return /^(true|1)$/i.test(given['dryRun']?.[0] ?? '') || undefined;
  if (arg.name === 'atomic') return Array.isArray(request.body) ? false : /** @type {Json | undefined} */ (request.body)?.['atomic'];
  /** @type {string[]} */ const unknown = [];
  if (arg.name === 'operations') return told(batchOperations(doors, request, arg.type, unknown), unknown, notes);
  if (arg.name !== 'input' && arg.name !== 'patch') return undefined;
  if (request.headers['content-type']?.includes('json-patch')) throw new NoTwin('A JSON Patch has no twin: GraphQL changes whole fields.');
  if (route.startsWith('DELETE ')) return [];
  if (request.body === undefined) return undefined;
  const list = camelCase((route.split('/').at(-1) ?? '').replaceAll('-', '_'));
  const wrapped = Array.isArray(request.body) && isInputObjectType(getNamedType(arg.type)) && !isList(arg.type) ? { [list]: request.body } : request.body;
  return told(upper(wrapped, arg.type, unknown), unknown, notes);
}

/** A value, and a note of what of it REST ignores. @param {unknown} value @param {string[]} unknown @param {string[]} notes */
function told(value, unknown, notes) {
  if (unknown.length) notes.push(`REST ignores ${[...new Set(unknown)].join(', ')}; it is left out.`);
  return value;
}

/** What a mutation is asked to show: what REST answers. @param {Doors} doors @param {import('graphql').GraphQLField<unknown, unknown>} field @param {Asked} asked */
function answerOf(doors, field, { route, given }) {
  const type = getNamedType(field.type);
  if (!isObjectType(type) || type.name !== 'Customer') return isObjectType(type) ? everything(type) : '__typename';
  if (/^(false|0)$/i.test(given['resource']?.[0] ?? '')) return 'id updatedAt';
  const part = /\}\/([a-z-]+)/.exec(route)?.[1];
  const inner = part && getNamedType(/** @type {any} */ (type.getFields()[camelCase(part.replaceAll('-', '_'))]).type);
  return part && isObjectType(inner) ? `id version etag ${camelCase(part.replaceAll('-', '_'))} { ${everything(inner)} }` : `${selectionOf(defaultPaths(doors))} version etag`;
}

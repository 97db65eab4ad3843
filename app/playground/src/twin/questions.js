import { getNamedType, isEnumType, isInputObjectType, isObjectType } from 'graphql';
import { Writer, brackets, shownPaths } from './graphql-parts.js';
import { NoTwin, camelCase } from './refusal.js';
import { all, outside, readFilter } from './odata.js';
import { selectionOf, upper, everything } from './values.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Json} Json
 * @typedef {import('./graphql-parts.js').Asked} Asked
 */

/**
 * The GraphQL operation for a list of REST: by page number, by cursor, or its explanation.
 * @param {Doors} doors @param {import('graphql').GraphQLSchema} schema @param {import('./refusal.js').Operation} operation
 * @param {Asked} asked @param {string[]} notes
 */
export function listQuestion(doors, schema, operation, asked, notes) {
  const explains = operation.rest[0]?.endsWith('?explain=true');
  const cursor = asked.given['cursor']?.[0];
  const wanted = explains ? operation.name : cursor === undefined ? 'page' : 'after';
  const fields = schema.getQueryType()?.getFields() ?? {};
  const name = explains
    ? (operation.graphql[0] ?? '').split('.')[1]
    : doors.operations.flatMap((one) => (one.rest.some((route) => route.startsWith('GET /customers')) ? one.graphql : [])).map((one) => one.split('.')[1] ?? '')
        .find((one) => fields[one]?.args.some((arg) => arg.name === wanted) && fields[one]?.args.some((arg) => arg.name === 'filter'));
  const field = fields[name ?? ''];
  if (!name || !field) throw new NoTwin('Lists have no field of their own.');
  const filterType = field.args.find((one) => one.name === 'filter')?.type;
  const values = { ...placeOf(doors, asked, wanted === 'page'), filter: filterType && filterOf(doors, asked, filterType), search: asked.given['q']?.[0], orderBy: known(schema, orderOf(asked)) };
  const writer = new Writer(operation);
  const args = field.args.flatMap((arg) => {
    const value = /** @type {Json} */ (values)[arg.name];
    return value === undefined ? [] : [writer.argument(arg.name, arg.name, String(arg.type), value)];
  });
  return writer.document('query', `${name}${brackets(args)} { ${selectionFor(doors, asked, field, cursor !== undefined)} }`, notes);
}

/** @param {Doors} doors @param {Asked} asked @param {import('graphql').GraphQLField<unknown, unknown>} field @param {boolean} byCursor */
function selectionFor(doors, asked, field, byCursor) {
  const type = getNamedType(field.type);
  if (!isObjectType(type)) return '__typename';
  const shown = selectionOf(shownPaths(doors, asked));
  const counts = asked.given['count']?.[0];
  if (type.getFields()['items']) return `items { ${shown} } page { page size${counts === 'none' ? '' : ' totalElements totalPages'} }`;
  if (!type.getFields()['nodes']) return everything(type);
  return `nodes { ${shown} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }${byCursor && counts === 'exact' ? ' totalCount' : ''}`;
}

/** @param {Doors} doors @param {Asked} asked @param {boolean} byNumber */
function placeOf(doors, { given }, byNumber) {
  const size = numberOf(given, 'size');
  const cursor = given['cursor']?.[0] ?? '';
  if (byNumber) return { page: numberOf(given, 'page'), size };
  if (!cursor.startsWith(doors.backward)) return { first: size, after: cursor || undefined };
  return { last: size ?? 25, before: cursor.slice(doors.backward.length) || undefined };
}

/** @param {Record<string, string[]>} given @param {string} name */
function numberOf(given, name) {
  const text = given[name]?.[0];
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new NoTwin(`${name} must be a whole number.`);
  return Number(text);
}

/** @param {Asked} asked */
function orderOf({ given }) {
  const direction = (given['sort']?.[0] ?? '').toLowerCase();
  const terms = given['sortFields']
    ? given['sortFields'].join(',').split(',').map((name) => [name, direction])
    : given['sortBy']
      ? given['sortBy'].join(',').split(',').map((term) => signed(term.trim()))
      : (given['sort'] ?? []).map((term) => term.split(','));
  if (terms.length === 0) return undefined;
  return terms.map(([name = '', way = '']) => ({
    field: camelCase(name.trim()).replace(/([A-Z])/g, '_$1').toUpperCase(),
    direction: way.trim().toLowerCase() === 'desc' ? 'DESC' : 'ASC',
  }));
}

/** The order, all of whose fields exist. @param {import('graphql').GraphQLSchema} schema @param {{field: string, direction: string}[] | undefined} order */
function known(schema, order) {
  const fields = schema.getType('CustomerOrderField');
  const names = isEnumType(fields) ? fields.getValues().map((one) => one.name) : [];
  const unknown = order?.find((term) => !names.includes(term.field));
  if (unknown) throw new NoTwin(`A list cannot be ordered by ${unknown.field}.`);
  return order;
}

/** @param {string} term */
function signed(term) {
  if (/^[+-]/.test(term)) return [term.slice(1), term[0] === '-' ? 'desc' : 'asc'];
  return term.split(':');
}

/** @param {Doors} doors @param {Asked} asked @param {import('graphql').GraphQLInputType} type */
function filterOf(doors, { given }, type) {
  /** @type {Json[]} */ const parts = [];
  if (given['id']) parts.push({ id: given['id'].length === 1 ? { eq: given['id'][0] } : { in: given['id'] } });
  for (const name of doors.equalities) if (given[name]) parts.push(outside(name, 'eq', given[name]?.[0], doors.shorthands));
  for (const [name, [field = '', operator = '']] of Object.entries(doors.moments)) if (given[name]) parts.push({ [field]: { [operator]: given[name]?.[0] } });
  const flags = (given['notify'] ?? []).flatMap((text) => text.split(',')).map((flag) => [flag.trim(), { eq: true }]);
  if (flags.length) parts.push({ notificationPreferences: Object.fromEntries(flags) });
  if (given['filter']) parts.push(readFilter(given['filter'][0] ?? '', doors.shorthands));
  if (parts.length === 0) return undefined;
  /** @type {string[]} */ const unknown = [];
  const filter = upper(all(parts), type, unknown);
  if (unknown.length) throw new NoTwin(`The filter asks about ${unknown.join(', ')}, which GraphQL cannot be asked about${isInputObjectType(getNamedType(type)) ? '' : ' here'}.`);
  return filter;
}

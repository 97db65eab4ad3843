import { NoTwin, camelCase } from './refusal.js';
import { writeFilter } from './odata.js';
import { below, itemsOf } from './selections.js';
import { addressOf } from './requests.js';
import { fieldsParameter, requestOf } from './rest-parts.js';
import { lower } from './values.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Operation} Operation
 * @typedef {import('./refusal.js').Json} Json
 * @typedef {import('./selections.js').Run} Run
 * @typedef {import('./selections.js').Selected} Selected
 * @typedef {[string, string][]} Query
 */

/**
 * The request of REST for a list; what is too long for an address goes in a body.
 * @param {Doors} doors @param {Run} run @param {Selected} root @param {Operation[]} candidates
 * @returns {import('./rest-parts.js').RestTwin}
 */
export function listTwin(doors, run, root, candidates) {
  const shown = below(run, root).map((one) => one.name);
  const reading = candidates.find((one) => one.rest[0]?.startsWith('GET '));
  if (!reading) throw new NoTwin(`${root.name} has no operation in REST.`);
  const operation = shown.length === 1 && shown[0] === 'totalCount' ? (doors.operations.find((one) => one.graphql.includes('CustomerConnection.totalCount')) ?? reading) : reading;
  const constants = [...new URLSearchParams(operation.rest[0]?.split('?')[1])].filter(([, value]) => !value.startsWith('{'));
  const type = root.field?.args.find((one) => one.name === 'filter')?.type;
  const filter = type && root.args['filter'] ? lower(root.args['filter'], type) : undefined;
  const order = orderParameters(root.args['orderBy'] ?? []);
  const { query: fields, notes } = fieldsOf(doors, run, root, operation === reading && constants.length > 0);
  const around = [...constants, ...placeOf(doors, root, operation === reading), ...countOf(run, root, shown, constants)];
  /** @type {(where: Query) => Query} */
  const query = (where) => [...around, ...where, ...(root.args['search'] === undefined ? [] : /** @type {Query} */ ([['q', root.args['search']]])), ...order, ...fields];
  const request = { ...requestOf(doors, operation, []), query: query(filter ? whereOf(doors, filter) : []) };
  const bySearch = candidates.find((one) => one.rest[0]?.startsWith('POST '));
  if (addressOf(request).length <= doors.longestUri || !bySearch) return { operation: operation.name, request, notes };
  return searched(requestOf(doors, bySearch, []), bySearch, query(filter ? [['filter', writeFilter(filter)]] : []), notes);
}

/** @param {import('./requests.js').Request} request @param {Operation} operation @param {Query} query @param {string[]} notes */
function searched(request, operation, query, notes) {
  /** @type {Json} */ const body = {};
  for (const [name, value] of query) {
    if (name === 'sort') body['sort'] = [...(body['sort'] ?? []), value];
    else body[name] = name === 'page' || name === 'size' ? Number(value) : value;
  }
  const headers = { 'Content-Type': 'application/json' };
  return { operation: operation.name, request: { ...request, headers, body }, notes: ['Too long for an address, so it goes in a body.', ...notes] };
}

/** @param {Doors} doors @param {Run} run @param {Selected} root @param {boolean} explains @returns {{query: Query, notes: string[]}} */
function fieldsOf(doors, run, root, explains) {
  const items = itemsOf(run, root);
  if (items) return fieldsParameter(doors, run, items);
  return { query: explains ? [] : [['fields', 'id']], notes: [] };
}

/** Where the page lies. @param {Doors} doors @param {Selected} root @param {boolean} reads @returns {Query} */
function placeOf(doors, { args, field }, reads) {
  const size = args['first'] ?? args['last'] ?? args['size'];
  const sized = /** @type {Query} */ (size === undefined || (size === 25 && args['size']) ? [] : [['size', String(size)]]);
  if (!reads) return sized;
  if (field?.args.some((one) => one.name === 'page')) return args['page'] === 1 ? sized : [['page', String(args['page'])], ...sized];
  const backward = args['last'] !== undefined || args['before'] !== undefined;
  return [['cursor', backward ? doors.backward + (args['before'] ?? '') : (args['after'] ?? '')], ...sized];
}

/** @param {Run} run @param {Selected} root @param {string[]} shown @param {Query} constants @returns {Query} */
function countOf(run, root, shown, constants) {
  if (constants.length) return [];
  if (shown.includes('totalCount')) return [['count', 'exact']];
  const page = below(run, root).find((one) => one.name === 'page');
  const counts = page ? below(run, page).some((one) => one.name.startsWith('total')) : false;
  return counts || !root.field?.args.some((one) => one.name === 'page') ? [] : [['count', 'none']];
}

/** @param {{field: string, direction: string}[]} terms @returns {Query} */
function orderParameters(terms) {
  return terms.map(({ field, direction }) => ['sort', `${camelCase(field.toLowerCase())},${direction.toLowerCase()}`]);
}

/** A filter by simple parameters where they can say it, the rest by `filter`. @param {Doors} doors @param {Json} filter @returns {Query} */
function whereOf(doors, filter) {
  /** @type {Query} */ const simple = [];
  /** @type {Json} */ const rest = {};
  for (const [name, value] of Object.entries(filter)) {
    const found = simply(doors, name, value);
    if (found) simple.push(...found);
    else rest[name] = value;
  }
  if (Object.keys(rest).length) simple.push(['filter', writeFilter(rest)]);
  if (simple.length === 0) throw new NoTwin('An empty filter has no form in REST: leave it out.');
  return simple;
}

/** @param {Doors} doors @param {string} name @param {Json} value @returns {Query | null} */
function simply(doors, name, value) {
  const [only, ...more] = typeof value === 'object' ? Object.entries(value) : [];
  if (!only || name === 'and' || name === 'or' || name === 'not') return null;
  if (name === 'notificationPreferences') {
    const flags = Object.entries(value);
    return flags.every(([, part]) => Object.keys(part).length === 1 && part.eq === true) ? [['notify', flags.map(([flag]) => flag).join(',')]] : null;
  }
  if (more.length) return null;
  const [operator, given] = only;
  if (name === 'id' && (operator === 'eq' || (operator === 'in' && given.length))) return [given].flat().map((one) => ['id', one]);
  const moment = Object.entries(doors.moments).find(([, [field, word]]) => field === name && word === operator);
  if (moment) return [[moment[0], given]];
  if (operator === 'some') return simplyPart(doors, name, given);
  return operator === 'eq' && doors.equalities.includes(name) && typeof given === 'string' && given ? [[name, given]] : null;
}

/** @param {Doors} doors @param {string} list @param {Json} part @returns {Query | null} */
function simplyPart(doors, list, part) {
  const [only, ...more] = Object.entries(part);
  if (!only || more.length || typeof only[1] !== 'object' || Array.isArray(only[1])) return null;
  const short = Object.entries(doors.shorthands).find(([, path]) => path === `${list}.${only[0]}`)?.[0];
  const text = only[1].eq;
  return short && Object.keys(only[1]).length === 1 && typeof text === 'string' && text ? [[short, text]] : null;
}

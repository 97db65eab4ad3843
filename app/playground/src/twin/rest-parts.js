import { below } from './selections.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Operation} Operation
 * @typedef {import('./selections.js').Run} Run
 * @typedef {import('./selections.js').Selected} Selected
 *
 * @typedef {object} RestTwin
 * @property {string} operation The name of the operation that both requests are.
 * @property {import('./requests.js').Request} request
 * @property {string[]} notes What differs, in sentences.
 */

/**
 * The parameter `fields` for a selection of a customer; none where everything is selected.
 * @param {Doors} doors @param {Run} run @param {Selected[]} selected
 * @returns {{query: [string, string][], notes: string[]}}
 */
export function fieldsParameter(doors, run, selected) {
  const paths = selected.flatMap((one) => {
    const inner = below(run, one);
    return inner.length ? inner.map((part) => `${one.name}.${part.name}`) : [one.name];
  });
  const leaves = doors.fields.filter((path) => path.includes('.') || !doors.fields.some((other) => other.startsWith(`${path}.`)));
  const notes = [];
  if (paths.includes('version') || paths.includes('etag')) notes.push('The version is in the header ETag, where one customer is read.');
  if (paths.some((path) => /^(addresses|phoneNumbers)\.id$/.test(path))) notes.push('The ids of parts are shown at …/addresses and …/phone-numbers.');
  if (leaves.every((path) => paths.includes(path))) return { query: [], notes };
  return { query: [['fields', shortened(doors, paths.filter((path) => doors.fields.includes(path))).join(',') || 'id']], notes };
}

/** Whole parts instead of all their fields. @param {Doors} doors @param {string[]} paths */
function shortened(doors, paths) {
  const heads = [...new Set(paths.map((path) => /** @type {string} */ (path.split('.')[0])))];
  return heads.flatMap((head) => {
    const all = doors.fields.filter((path) => path.startsWith(`${head}.`));
    return all.every((path) => paths.includes(path)) ? [head] : paths.filter((path) => path.startsWith(`${head}.`));
  });
}

/** @param {Doors} doors @param {Operation} operation @param {unknown[]} ids @returns {import('./requests.js').Request} */
export function requestOf(doors, operation, ids) {
  const [method = '', address = ''] = (operation.rest[0] ?? '').split(' ');
  const left = [...ids];
  const path = (address.split('?')[0] ?? '').replace(/\{\w+\}/g, () => encodeURIComponent(String(left.shift())));
  return { method, path: doors.prefix + path, query: [], headers: {} };
}

/** What every document of a GraphQL twin is written with. */

import { parse, print } from 'graphql';
import { NoTwin, camelCase } from './refusal.js';

/**
 * @typedef {import('./refusal.js').Doors} Doors
 * @typedef {import('./refusal.js').Operation} Operation
 * @typedef {import('./refusal.js').Json} Json
 * @typedef {import('./requests.js').Request} Request
 *
 * @typedef {object} Asked A request with what its path and query say.
 * @property {Request} request
 * @property {string} route `METHOD /path/{id}` below the prefix.
 * @property {string[]} ids From the path.
 * @property {Record<string, string[]>} given The parameters by their first names.
 *
 * @typedef {object} GraphQLTwin
 * @property {string} operation
 * @property {string} query
 * @property {Json} variables
 * @property {string[]} notes
 */

/** @param {string[]} args */
export const brackets = (args) => (args.length ? `(${args.join(', ')})` : '');

/** All that REST shows of a customer. @param {Doors} doors */
export function defaultPaths(doors) {
  return doors.fields.filter((path) => path.includes('.') || !doors.fields.some((other) => other.startsWith(`${path}.`)));
}

/** The paths that `fields` asks for; all where it is absent. @param {Doors} doors @param {Asked} asked */
export function shownPaths(doors, { given }) {
  const text = given['fields']?.join(',');
  if (text === undefined) return defaultPaths(doors);
  const asked = text.split(',').map((one) => camelCase(one.trim()).replaceAll('/', '.'));
  const unknown = asked.find((path) => !doors.fields.includes(path));
  if (unknown !== undefined) throw new NoTwin(`fields: there is no field ${unknown}.`);
  return defaultPaths(doors).filter((path) => path === 'id' || asked.includes(path) || asked.includes(path.split('.')[0] ?? ''));
}

/** Collects the variables of a document while its arguments are written. */
export class Writer {
  /** @param {Operation} operation */
  constructor(operation) {
    this.operation = operation;
    /** @type {string[]} */ this.declared = [];
    /** @type {Json} */ this.variables = {};
  }

  /** @param {string} argument @param {string} variable @param {string} type @param {unknown} value */
  argument(argument, variable, type, value) {
    this.declared.push(`$${variable}: ${type}`);
    this.variables[variable] = value;
    return `${argument}: $${variable}`;
  }

  /** @param {string} kind @param {string} field @param {string[]} notes @returns {GraphQLTwin} */
  document(kind, field, notes) {
    const name = this.operation.name;
    const text = `${kind} ${name[0]?.toUpperCase()}${name.slice(1)}${brackets(this.declared)} { ${field} }`;
    return { operation: name, query: print(parse(text)), variables: this.variables, notes };
  }
}

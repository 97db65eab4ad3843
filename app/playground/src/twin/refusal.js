/** Says why there is no twin, in words for the person who asked. */
export class NoTwin extends Error {}

/**
 * @typedef {object} Operation The declaration of an operation, as the gateway has it.
 * @property {string} name
 * @property {string} summary
 * @property {string | null} scope
 * @property {string[]} rest Routes below the prefix: `METHOD /path/{id}?constant=1&name={name}`.
 * @property {string[]} graphql `Type.field`.
 * @property {string | null} alone Why it is at REST alone; null where it has a twin.
 * @property {string} docs Its place in the documentation of REST: `tag/operationId`.
 *
 * @typedef {object} Doors What the gateway's code says of its two doors (`doors.json`, made by `gateway documents --write`).
 * @property {string} prefix Stands before each path of a route.
 * @property {string} alias The one path that is served without the prefix too.
 * @property {string} etag An ETag with `{version}` and `{prefix}`, the beginning of the customer's id.
 * @property {number} longestUri In characters; what is longer goes by `:search`.
 * @property {string} backward Stands before a cursor that reads backward.
 * @property {string[]} equalities Simple filters for equality.
 * @property {Record<string, string[]>} moments Simple filters of time, with the field and the operator they stand for.
 * @property {Record<string, string>} shorthands Names for fields of parts, e.g. `city` for `addresses.city`.
 * @property {string[]} fields Every path that `fields` takes.
 * @property {Record<string, Record<string, string>>} parameters By route: each name of a parameter, with its first name.
 * @property {Operation[]} operations
 * @property {string} schema The GraphQL schema.
 *
 * @typedef {Record<string, any>} Json
 */

/** @param {string} name A name in snake_case; camelCase stays. */
export const camelCase = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

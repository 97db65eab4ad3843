// The twin of a request at the other door. What stands here holds for every operation; what the operations are comes from
// `doors.json`, which is made from their declarations.
import { buildSchema } from 'graphql';
import { toGraphQL } from './to-graphql.js';
import { toRest } from './to-rest.js';

export { NoTwin } from './refusal.js';
export { addressOf, curlLine } from './requests.js';

/** @param {import('./refusal.js').Doors} doors */
export function twinsOf(doors) {
  const schema = buildSchema(doors.schema, { assumeValid: true });
  return {
    /** @param {string} text @param {Record<string, unknown>} variables @param {string | null} [operationName] */
    toRest: (text, variables, operationName) => toRest(doors, schema, text, variables, operationName),
    /** @param {string} text */
    toGraphQL: (text) => toGraphQL(doors, schema, text),
  };
}

import { getNamedType, getNullableType, isEnumType, isInputObjectType, isListType, isObjectType } from 'graphql';

/** @typedef {import('graphql').GraphQLInputType} InputType */
/** @typedef {import('graphql').GraphQLObjectType} ObjectType */

/**
 * A value with its enums in lower case, as REST writes them.
 * @param {any} value @param {InputType} type
 * @returns {any}
 */
export function lower(value, type) {
  return converted(value, type, (text) => text.toLowerCase(), undefined);
}

/**
 * A value with its enums in upper case, as GraphQL writes them. Members that the type does not have are left out and noted.
 * @param {any} value @param {InputType} type @param {string[]} unknown
 * @returns {any}
 */
export function upper(value, type, unknown) {
  return converted(value, type, (text) => text.toUpperCase(), unknown);
}

/** @param {any} value @param {InputType} given @param {(text: string) => string} spell @param {string[] | undefined} unknown @returns {any} */
function converted(value, given, spell, unknown) {
  const type = getNullableType(given);
  if (value === null || value === undefined) return value;
  if (isListType(type)) return Array.isArray(value) ? value.map((item) => converted(item, type.ofType, spell, unknown)) : value;
  if (isEnumType(type)) return typeof value === 'string' ? spell(value) : value;
  if (!isInputObjectType(type) || typeof value !== 'object') return value;
  const fields = type.getFields();
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) => {
      const field = fields[name];
      if (field) return [[name, converted(item, field.type, spell, unknown)]];
      unknown?.push(name);
      return [];
    }),
  );
}

/** A value without its nulls: what a new thing does not have need not be said. @param {any} value @returns {any} */
export function withoutNulls(value) {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, item]) => (item === null ? [] : [[name, withoutNulls(item)]])));
}

/**
 * A selection of everything in a type that needs no arguments.
 * @param {ObjectType} type @param {(name: string) => boolean} [wanted]
 * @returns {string}
 */
export function everything(type, wanted = () => true) {
  const fields = Object.values(type.getFields()).filter((field) => field.args.length === 0 && wanted(field.name));
  return fields
    .map((field) => {
      const inner = getNamedType(field.type);
      return isObjectType(inner) ? `${field.name} { ${everything(inner)} }` : field.name;
    })
    .join(' ');
}

/**
 * Paths like `addresses.city` as a selection.
 * @param {string[]} paths
 */
export function selectionOf(paths) {
  /** @type {Map<string, string[]>} */ const heads = new Map();
  for (const path of paths) {
    const [head = '', ...rest] = path.split('.');
    heads.set(head, [...(heads.get(head) ?? []), ...(rest.length ? [rest.join('.')] : [])]);
  }
  return [...heads].map(([head, inner]) => (inner.length ? `${head} { ${inner.join(' ')} }` : head)).join(' ');
}

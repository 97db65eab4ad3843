import { NoTwin, camelCase } from './refusal.js';

/** @typedef {import('./refusal.js').Json} Json */

const LISTS = ['addresses', 'phoneNumbers'];
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}){1,2}([.:]\d{1,9})?(Z|[+-]\d{2}:\d{2})?)?$/i;

/**
 * A `CustomerFilter`, its enums in lower case already, as an expression for `filter=`.
 * @param {Json} filter
 * @returns {string}
 */
export function writeFilter(filter) {
  return joined(customerTerms(filter), 'and');
}

/** @param {string[]} terms @param {'and' | 'or'} word */
function joined(terms, word) {
  if (terms.length === 0) throw new NoTwin('An empty filter has no form in REST: leave it out.');
  return terms.join(` ${word} `);
}

/** @param {Json} filter @returns {string[]} */
function customerTerms(filter) {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (isWord(name)) return [combined(name, value, customerTerms)];
    if (LISTS.includes(name)) return listTerms(name, value);
    if (name === 'notificationPreferences') {
      return Object.entries(value).flatMap(([flag, part]) => comparisons(`${name}/${flag}`, part));
    }
    return comparisons(name, value);
  });
}

/** @param {string} name */
const isWord = (name) => name === 'and' || name === 'or' || name === 'not';

/** @param {string} word @param {any} value @param {(filter: Json) => string[]} terms */
function combined(word, value, terms) {
  if (word === 'not') return `not (${joined(terms(value), 'and')})`;
  const parts = /** @type {Json[]} */ (value).map((part) => terms(part)).map((part) => (part.length === 1 ? part[0] : `(${joined(part, 'and')})`));
  return `(${joined(/** @type {string[]} */ (parts), word === 'and' ? 'and' : 'or')})`;
}

/** @param {string} list @param {Json} value */
function listTerms(list, value) {
  return Object.entries(value).map(([quantifier, part]) => {
    const any = `${list}/any(a: ${joined(elementTerms(part), 'and')})`;
    return quantifier === 'none' ? `not ${any}` : any;
  });
}

/** @param {Json} part @returns {string[]} */
function elementTerms(part) {
  return Object.entries(part).flatMap(([name, value]) => (isWord(name) ? [combined(name, value, elementTerms)] : comparisons(`a/${name}`, value)));
}

/** @param {string} path @param {Json} conditions */
function comparisons(path, conditions) {
  return Object.entries(conditions).map(([operator, value]) => {
    if (operator === 'in') return `${path} in (${value.map(literal).join(', ')})`;
    if (operator === 'startsWith' || operator === 'contains') return `${operator.toLowerCase()}(${path}, ${literal(value)})`;
    return `${path} ${operator} ${literal(value)}`;
  });
}

/** @param {unknown} value */
function literal(value) {
  if (value === null || typeof value === 'boolean') return String(value);
  return TIMESTAMP.test(String(value)) ? String(value) : `'${String(value).replace(/'/g, "''")}'`;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TOKEN = /\s*(?:('(?:[^']|'')*')|([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?|-?\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*(?:[/.][A-Za-z_][A-Za-z0-9_]*)*)|([(),:]))/y;

/**
 * An expression of `filter=` as a `CustomerFilter`; values are as written, enums in lower case.
 * @param {string} text
 * @param {Record<string, string>} shorthands
 * @returns {Json}
 */
export function readFilter(text, shorthands) {
  const tokens = tokenize(text);
  let index = 0;
  const peek = () => tokens[index]?.word ?? '';
  const take = () => tokens[index++] ?? fault();
  /** @returns {never} */
  const fault = () => {
    throw new NoTwin(`The filter cannot be read from position ${(tokens[index]?.at ?? text.length) + 1}.`);
  };
  /** @param {string} word */
  const expect = (word) => (take().word.toLowerCase() === word ? undefined : (index--, fault()));
  /** @param {string} word */
  const comes = (word) => peek().toLowerCase() === word && (index++, true);

  /** @param {string} inside @returns {Json} */
  function either(inside) {
    const parts = [both(inside)];
    while (comes('or')) parts.push(both(inside));
    return parts.length === 1 ? /** @type {Json} */ (parts[0]) : { or: parts };
  }
  /** @param {string} inside @returns {Json} */
  function both(inside) {
    const parts = [negated(inside)];
    while (comes('and')) parts.push(negated(inside));
    return all(parts);
  }
  /** @param {string} inside @returns {Json} */
  function negated(inside) {
    return comes('not') ? { not: negated(inside) } : atom(inside);
  }
  /** @param {string} inside @returns {Json} */
  function atom(inside) {
    if (comes('(')) {
      const found = either(inside);
      expect(')');
      return found;
    }
    const path = take().word;
    if (!/^[A-Za-z_]/.test(path)) index--, fault();
    if (peek() === '(' && /\/any$/i.test(path) && !inside) return some(camelCase(path.slice(0, -4)));
    if (peek() === '(') return call(path.toLowerCase(), inside);
    if (comes('in')) return condition(path, 'in', inside, values());
    if (/^(eq|ne|gt|ge|lt|le)$/i.test(peek())) return condition(path, take().word.toLowerCase(), inside, value());
    return condition(path, 'eq', inside, true);
  }
  /** @param {string} list @returns {Json} */
  function some(list) {
    expect('(');
    const name = take().word;
    expect(':');
    const part = either(`${name}/`);
    expect(')');
    return LISTS.includes(list) ? { [list]: { some: part } } : fault();
  }
  /** @param {string} name @param {string} inside */
  function call(name, inside) {
    const operator = name === 'startswith' ? 'startsWith' : name === 'contains' ? 'contains' : (index--, fault());
    expect('(');
    const path = take().word;
    expect(',');
    const given = value();
    expect(')');
    return condition(path, operator, inside, given);
  }
  function values() {
    expect('(');
    const given = [value()];
    while (comes(',')) given.push(value());
    expect(')');
    return given;
  }
  function value() {
    const { word } = take();
    if (word.startsWith("'")) return word.slice(1, -1).replace(/''/g, "'");
    /** @type {Record<string, boolean | null>} */ const words = { true: true, false: false, null: null };
    const known = words[word.toLowerCase()];
    return known === undefined ? (/^[-\d]/.test(word) || GUID.test(word) ? word : (index--, fault())) : known;
  }
  /** @param {string} path @param {string} operator @param {string} inside @param {unknown} given @returns {Json} */
  function condition(path, operator, inside, given) {
    if (!inside) return outside(path, operator, given, shorthands);
    const name = camelCase(path.replace('.', '/'));
    return name.startsWith(inside) ? { [name.slice(inside.length)]: { [operator]: given } } : fault();
  }

  const found = either('');
  return index === tokens.length ? found : fault();
}

/** @param {string} text */
function tokenize(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; text.slice(at).trim(); at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) throw new NoTwin(`The filter cannot be read from position ${at + 1}.`);
    tokens.push({ word: found[0].trim(), at });
  }
  return tokens;
}

/**
 * A condition on a customer by the name that REST gives the field.
 * @param {string} path @param {string} operator @param {unknown} value @param {Record<string, string>} shorthands
 * @returns {Json}
 */
export function outside(path, operator, value, shorthands) {
  const written = camelCase(path).replaceAll('/', '.');
  const [head = '', name] = (shorthands[written] ?? written).split('.');
  if (name === undefined) return { [head]: { [operator]: value } };
  if (!LISTS.includes(head)) return { [head]: { [name]: { [operator]: value } } };
  return { [head]: operator === 'ne' ? { none: { [name]: { eq: value } } } : { some: { [name]: { [operator]: value } } } };
}

/**
 * All of these hold: one object where no two speak of the same field.
 * @param {Json[]} parts
 * @returns {Json}
 */
export function all(parts) {
  const names = parts.flatMap((part) => Object.keys(part));
  if (parts.length === 1 || new Set(names).size === names.length) return Object.assign({}, ...parts);
  return { and: parts };
}

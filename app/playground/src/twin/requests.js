import { NoTwin } from './refusal.js';

/**
 * @typedef {object} Request A request of REST.
 * @property {string} method
 * @property {string} path
 * @property {[string, string][]} query
 * @property {Record<string, string>} headers
 * @property {unknown} [body]
 * @property {boolean} [stream] The answer goes on until it is stopped.
 */

const TAKE_NOTHING = /^-[sSivkLfNg#]+$/;
const BODY = new Set(['-d', '--data', '--data-raw', '--data-binary', '--data-ascii', '--json']);
const TAKE_ONE = new Set(['-o', '--output', '-u', '--user', '-A', '--user-agent', '-e', '-m', '--max-time', '-b', '-w', '--write-out', '--cacert', '--cert', '--key', '--retry']);

/**
 * The request in a curl line, an address, or `METHOD address`.
 * @param {string} text
 * @returns {Request}
 */
export function readRequest(text) {
  const line = text.trim().replace(/^\$\s+/, '');
  if (!line) throw new NoTwin('Paste an address or a curl line.');
  return /^curl\s/.test(line) ? readCurl(shellWords(line).slice(1)) : readPlain(line);
}

/** @param {string} line An address, perhaps with a method before it and a body of JSON behind it. */
function readPlain(line) {
  const found = /^(?:([A-Za-z]+)\s+)?(\S[^\n]*?)(?:\s+([[{].*))?$/s.exec(line);
  return request((found?.[1] ?? 'GET').toUpperCase(), found?.[2] ?? '', {}, found?.[3] ?? '');
}

/** @param {string[]} words */
function readCurl(words) {
  /** @type {Record<string, string>} */ const headers = {};
  /** @type {string[]} */ const body = [];
  /** @type {string[]} */ const encoded = [];
  let method = '', address = '', inAddress = false;
  for (let index = 0; index < words.length; index++) {
    let word = /** @type {string} */ (words[index]);
    let value = '';
    const joined = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? /^(-[XHd])(.+)$/s.exec(word);
    if (joined) [word, value] = [joined[1] ?? '', joined[2] ?? ''];
    const next = () => (joined ? value : (words[++index] ?? ''));
    if (word === '-G' || word === '--get') inAddress = true;
    else if (word === '-I' || word === '--head') method = 'HEAD';
    else if (word === '-X' || word === '--request') method = next().toUpperCase();
    else if (word === '-H' || word === '--header') addHeader(headers, next());
    else if (BODY.has(word)) body.push(next());
    else if (word === '--data-urlencode') encoded.push(urlEncoded(next()));
    else if (word === '--url') address = next();
    else if (TAKE_ONE.has(word)) next();
    else if (!TAKE_NOTHING.test(word) && !word.startsWith('--')) address = word;
  }
  if (body.some((one) => one.startsWith('@'))) throw new NoTwin('The body is in a file: paste its text in the place of @file.');
  if (!inAddress) return request(method || (body.length + encoded.length ? 'POST' : 'GET'), address, headers, [...body, ...encoded].join('&'));
  const query = [...body, ...encoded].join('&');
  return request(method || 'GET', address + (query ? (address.includes('?') ? '&' : '?') + query : ''), headers, '');
}

/** @param {Record<string, string>} headers @param {string} line */
function addHeader(headers, line) {
  const colon = line.indexOf(':');
  if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
}

/** @param {string} text */
function urlEncoded(text) {
  const equals = text.indexOf('=');
  return equals < 0 ? encodeURIComponent(text) : `${text.slice(0, equals + 1)}${encodeURIComponent(text.slice(equals + 1))}`;
}

/** @param {string} method @param {string} address @param {Record<string, string>} headers @param {string} body @returns {Request} */
function request(method, address, headers, body) {
  let url, path;
  try {
    url = new URL(address, 'http://gateway.invalid');
    path = decodeURIComponent(url.pathname);
  } catch {
    throw new NoTwin('There is no address in it that can be read.');
  }
  /** @type {Request} */ const made = { method, path, query: [...url.searchParams], headers };
  if (!body.trim()) return made;
  try {
    return { ...made, body: JSON.parse(body) };
  } catch (fault) {
    throw new NoTwin(`The body is no JSON: ${/** @type {Error} */ (fault).message}`);
  }
}

/**
 * The words of a shell command: quotes, backslashes, lines that go on.
 * @param {string} text
 */
export function shellWords(text) {
  const words = [];
  let word = '', started = false, quote = '';
  for (let index = 0; index < text.length; index++) {
    const letter = /** @type {string} */ (text[index]);
    if (quote) {
      if (letter === quote) quote = '';
      else if (letter === '\\' && quote === '"' && '"\\$`'.includes(text[index + 1] ?? '')) word += text[++index];
      else word += letter;
    } else if (letter === "'" || letter === '"') [quote, started] = [letter, true];
    else if (letter === '\\') {
      const next = text[++index];
      if (next === '\r') index++;
      else if (next !== undefined && next !== '\n') [word, started] = [word + next, true];
    } else if (/\s/.test(letter)) {
      if (started) words.push(word);
      [word, started] = ['', false];
    } else [word, started] = [word + letter, true];
  }
  if (started) words.push(word);
  return words;
}

/** The path with its query. @param {Request} request */
export function addressOf({ path, query }) {
  const text = query.map(([name, value]) => `${encodeURIComponent(name)}=${readable(value)}`).join('&');
  return path + (text ? `?${text}` : '');
}

/** Percent-encoded where it must be: what may stand in a query (RFC 3986 section 3.4) stays as it is. @param {string} value */
function readable(value) {
  return encodeURIComponent(value).replace(/%(2C|3A|2F|40)/g, decodeURIComponent).replace(/'/g, '%27');
}

/** @param {string} text */
const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;

/**
 * The request as a curl line. The key stays a variable of the shell: what is copied holds no secret.
 * @param {Request} request @param {string} origin
 */
export function curlLine(request, origin) {
  const { method, headers, body, stream } = request;
  const lines = [`curl ${stream ? '-N ' : ''}${method === 'GET' ? '' : `-X ${method} `}${quoted(origin + addressOf(request))}`, '-H "X-API-Key: $KEY"'];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) lines.push(`-d ${quoted(JSON.stringify(body, null, 2))}`);
  return lines.join(' \\\n  ');
}

/** The API key that `gateway dev` puts into its pages, so that a newcomer can try things at once. */

const REMEMBERED = 'gateway:demo-key';
// Where GraphiQL and Swagger UI keep what was typed; a demo key may be in there.
const KEPT_BY_OTHERS = ['graphiql:tabState', 'graphiql:headers', 'graphiql:queries', 'graphiql:favorites', 'authorized'];

/**
 * The demo key of this server, or null where there is none.
 *
 * Each `gateway dev` may make a new key. Where an old one was remembered, the new one takes its place,
 * or yesterday's tabs would be refused today.
 */
export function demoKey(): string | null {
  const key = document.querySelector<HTMLMetaElement>('meta[name="gateway-demo-key"]')?.content;
  if (!key) return null;
  const old = localStorage.getItem(REMEMBERED);
  if (old && old !== key) {
    for (const storage of [sessionStorage, localStorage]) replace(storage, old, key);
  }
  localStorage.setItem(REMEMBERED, key);
  return key;
}

function replace(storage: Storage, old: string, key: string): void {
  for (const name of KEPT_BY_OTHERS) {
    const text = storage.getItem(name);
    if (text?.includes(old)) storage.setItem(name, text.replaceAll(old, key));
  }
}

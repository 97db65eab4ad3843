/**
 * What GraphiQL keeps between two visits: tabs, history, theme. Headers hold credentials; they are kept for the session of
 * this browser tab, and beyond it only where a person asked for that.
 */

const ASKED = 'gateway:keep-credentials';
const WITH_HEADERS = ['graphiql:tabState', 'graphiql:headers', 'graphiql:queries', 'graphiql:favorites'];

export function keepsCredentials(): boolean {
  return localStorage.getItem(ASKED) === 'true';
}

/** Keeps the credentials in this browser from now on, or takes those that are kept out of it. */
export function keepCredentials(keep: boolean): void {
  if (keep) localStorage.setItem(ASKED, 'true');
  else localStorage.removeItem(ASKED);
  for (const name of WITH_HEADERS) {
    const value = kept.getItem(name);
    if (value !== null) kept.setItem(name, value);
  }
}

function withoutHeaders(name: string, value: string): string | null {
  if (name === 'graphiql:headers') return null;
  try {
    return JSON.stringify(JSON.parse(value), (key, inner: unknown) => (key === 'headers' ? null : inner));
  } catch {
    return null;
  }
}

export const kept: Storage = {
  getItem(name: string): string | null {
    // Ours to decide, see above.
    if (name === 'graphiql:shouldPersistHeaders') return null;
    return sessionStorage.getItem(name) ?? localStorage.getItem(name);
  },
  setItem(name: string, value: string): void {
    if (!WITH_HEADERS.includes(name)) {
      localStorage.setItem(name, value);
      return;
    }
    sessionStorage.setItem(name, value);
    const lasting = keepsCredentials() ? value : withoutHeaders(name, value);
    if (lasting === null) localStorage.removeItem(name);
    else localStorage.setItem(name, lasting);
  },
  removeItem(name: string): void {
    sessionStorage.removeItem(name);
    localStorage.removeItem(name);
  },
  clear(): void {
    for (const name of Object.keys(localStorage)) if (name.startsWith('graphiql:')) kept.removeItem(name);
    for (const name of WITH_HEADERS) sessionStorage.removeItem(name);
  },
  key: (index: number) => Object.keys(localStorage)[index] ?? null,
  get length() {
    return localStorage.length;
  },
};

/**
 * What the playground opens with: the address and what the browser kept, made into GraphiQL's list of tabs.
 *
 * `?query=&variables=&operationName=` come from the address. Headers come from its fragment only
 * (`#headers=<URL-encoded JSON>`), which never leaves the browser, and are taken out of the address bar at once.
 */
import examples from '../examples.json';
import { kept } from './kept';

interface Tab {
  id: string;
  title: string;
  query: string | null;
  variables: string | null;
  headers: string | null;
  operationName: string | null;
  response: null;
}
interface Tabs { tabs: Tab[]; activeTabIndex: number }

export interface Start {
  query: string;
  variables: string;
  headers: string;
  /** The operation that the address asks for, among several in its document. */
  operationName: string | null;
  firstVisit: boolean;
}

const TABS = 'graphiql:tabState';

export function start(demoKey: string | null): Start {
  const given = { ...fromSearch(), headers: takeFragment() };
  const before = keptTabs();
  const firstVisit = before === null;
  // The panel of examples starts narrower than GraphiQL's third of the window; a person may drag it.
  if (firstVisit) kept.setItem('graphiql:docExplorerFlex', '0.3');

  const now = before ?? { tabs: [], activeTabIndex: 0 };
  let tab = now.tabs[now.activeTabIndex];
  if (!tab || given.query !== null) {
    const headers = tab?.headers ?? null;
    const query = given.query ?? examples[0]!.query;
    const variables = given.query === null ? pretty(examples[0]!.variables) : (given.variables ?? '');
    let index = now.tabs.findIndex((one) => one.query === query && (one.variables ?? '') === variables);
    if (index < 0) index = now.tabs.push(newTab(query, variables, headers)) - 1;
    now.activeTabIndex = index;
    tab = now.tabs[index]!;
  }
  tab.headers = given.headers ?? tab.headers ?? (demoKey === null ? null : pretty({ 'X-API-Key': demoKey }));

  // Written here and not left to GraphiQL, which writes late: a reload at once must find the headers too.
  kept.setItem(TABS, JSON.stringify(now));
  return {
    query: tab.query ?? '',
    variables: tab.variables ?? '',
    headers: tab.headers ?? '',
    operationName: given.operationName,
    firstVisit,
  };
}

function fromSearch() {
  const search = new URLSearchParams(location.search);
  const variables = search.get('variables');
  return {
    query: search.get('query'),
    variables: variables === null ? null : prettyText(variables),
    operationName: search.get('operationName'),
  };
}

/** Whether the address carries headers. */
export function hasFragment(): boolean {
  return FRAGMENT.test(location.hash);
}

// Not URLSearchParams: it reads a plus as a blank, and a token may hold one.
const FRAGMENT = /(?<=^#|&)headers=([^&]*)/;

function takeFragment(): string | null {
  const text = FRAGMENT.exec(location.hash)?.[1];
  if (text === undefined) return null;
  history.replaceState(history.state, '', location.pathname + location.search);
  try {
    return prettyText(decodeURIComponent(text));
  } catch {
    return text;
  }
}

/** Takes the operation out of the address, once what is on the page is no longer what the address says. */
export function leaveAddress(): void {
  if (location.search) history.replaceState(history.state, '', location.pathname);
}

/** The address that opens this operation; never with headers. */
export function linkTo(query: string, variables: string, operationName: string | null): string {
  const search = new URLSearchParams({ query });
  if (variables.trim()) search.set('variables', variables);
  if (operationName) search.set('operationName', operationName);
  return `${location.origin}${location.pathname}?${search}`;
}

function keptTabs(): Tabs | null {
  try {
    const value = JSON.parse(kept.getItem(TABS) ?? 'null') as Tabs | null;
    return value && Array.isArray(value.tabs) && value.tabs.length > 0 ? value : null;
  } catch {
    return null;
  }
}

function newTab(query: string, variables: string, headers: string | null): Tab {
  const title = /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1] ?? '<untitled>';
  return { id: `gateway-${Date.now()}`, title, query, variables, headers, operationName: null, response: null };
}

export function pretty(value: object): string {
  return Object.keys(value).length ? JSON.stringify(value, null, 2) : '';
}

export function prettyText(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

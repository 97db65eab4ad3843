import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { noteHeaders } from './fetcher';
import { leaveAddress } from './start';

/** Lets a new tab take over the headers of the tab one comes from, and tells the fetcher about headers. Shows nothing. */
export function Headers() {
  const { headerEditor, tabs, activeTabIndex } = useGraphiQL(pick('headerEditor', 'tabs', 'activeTabIndex'));
  const before = useRef({ count: tabs.length, headers: tabs[activeTabIndex]?.headers ?? '' });

  useEffect(() => {
    if (!headerEditor) return;
    const added = tabs.length > before.current.count && activeTabIndex === tabs.length - 1;
    if (added && !headerEditor.getValue()) headerEditor.setValue(before.current.headers);
    before.current = { count: tabs.length, headers: headerEditor.getValue() };
    noteHeaders(before.current.headers);
  }, [headerEditor, tabs, activeTabIndex]);
  return null;
}

/** Chooses the operation that the address asks for, once, when the editor knows the operations. Shows nothing. */
export function Operation({ name }: { name: string | null }) {
  const { setOperationName } = useGraphiQLActions();
  const { operations, queryEditor } = useGraphiQL(pick('operations', 'queryEditor'));
  const open = useRef(name !== null);

  useEffect(() => {
    const found = operations?.find((one) => one.name?.value === name);
    if (!open.current || !found || !queryEditor) return;
    open.current = false;
    setOperationName(found.name!.value);
    // Ctrl-Enter runs the operation that the cursor is in.
    const place = queryEditor.getModel()?.getPositionAt(found.loc?.start ?? 0);
    if (place) queryEditor.setPosition(place);
  }, [name, operations, queryEditor, setOperationName]);
  return null;
}

/** Turns the editors with the scheme of the system, as the page around them does; GraphiQL looks at it once. Shows nothing. */
export function Scheme() {
  const { setTheme } = useGraphiQLActions();
  const theme = useGraphiQL((state) => state.theme);
  useEffect(() => {
    const system = matchMedia('(prefers-color-scheme: dark)');
    const turn = () => theme === null && setTheme(null);
    system.addEventListener('change', turn);
    return () => system.removeEventListener('change', turn);
  }, [theme, setTheme]);
  return null;
}

/** Brings the chosen tab into sight and empties the address (an edit does that too, see main.tsx). Shows nothing. */
export function Choice() {
  const activeTabIndex = useGraphiQL((state) => state.activeTabIndex);
  const first = useRef(activeTabIndex);
  useEffect(() => {
    if (activeTabIndex === first.current) return;
    first.current = -1;
    leaveAddress();
    document.querySelector('.graphiql-tab-active')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [activeTabIndex]);
  return null;
}

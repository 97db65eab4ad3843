import './workers';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
// Not graphiql/style.css: it brings two fonts along, half a megabyte of them.
import '@graphiql/react/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import './playground.css';
import { demoKey } from '../demo-key';
import { AnswerBar } from './answer-bar';
import { credentialsPlugin } from './credentials';
import { examplesPlugin } from './examples';
import { explorer } from './explorer';
import { fetcher, noteHeaders } from './fetcher';
import { kept } from './kept';
import { LinkButton } from './link';
import { Choice, Headers, Operation, Scheme } from './session';
import { Keyboard } from './keyboard';
import { hasFragment, leaveAddress, start } from './start';
import { twinPlugin } from './twin-panel';

const opened = start(demoKey());
noteHeaders(opened.headers);
// A link with headers, followed while this page is open, changes the fragment and loads nothing.
addEventListener('hashchange', () => hasFragment() && location.reload());

// What a newcomer sees first, where there is room for it: the examples, or where to put the key they need.
const firstPanel = opened.headers ? examplesPlugin : credentialsPlugin;
const showPanel = opened.firstVisit && innerWidth >= 900;
const plugins = [examplesPlugin, twinPlugin, explorer, HISTORY_PLUGIN, credentialsPlugin];

createRoot(document.getElementById('playground')!).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    initialQuery={opened.query}
    initialVariables={opened.variables}
    initialHeaders={opened.headers}
    storage={kept}
    shouldPersistHeaders
    showPersistHeadersSettings={false}
    defaultEditorToolsVisibility
    inputValueDeprecation
    onEditQuery={leaveAddress}
    onEditVariables={leaveAddress}
    {...(showPanel ? { visiblePlugin: firstPanel } : {})}
  >
    <GraphiQL.Logo>{' '}</GraphiQL.Logo>
    <GraphiQL.Toolbar>
      {({ prettify, merge, copy }) => (
        <>
          {prettify}
          {merge}
          {copy}
          <LinkButton />
        </>
      )}
    </GraphiQL.Toolbar>
    <GraphiQL.Footer><AnswerBar /></GraphiQL.Footer>
    <Headers />
    <Operation name={opened.operationName} />
    <Choice />
    <Scheme />
    <Keyboard />
  </GraphiQL>,
);

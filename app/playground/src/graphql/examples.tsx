import type { GraphiQLPlugin } from '@graphiql/react';
import { useState } from 'react';
import doors from '../doors.json';
import chosen from '../examples.json';
import { knownHeaders } from './fetcher';
import { filled } from './seen';
import { useOpenTab } from './tabs';

interface Example { group: string; title: string; query: string; variables: Record<string, unknown> }

/** A few to start with, and one for each operation, made from its declaration. */
const examples = [...chosen, ...doors.examples] as Example[];
const groups = [...new Set(['Start here', 'Read customers', ...examples.map((one) => one.group)])];

function Examples() {
  const openTab = useOpenTab();
  const [words, setWords] = useState('');
  const wanted = words.toLowerCase().trim();
  const shown = examples.filter((one) => `${one.group} ${one.title} ${one.query}`.toLowerCase().includes(wanted));

  return (
    <section className="gateway-panel" aria-label="Examples">
      <h2 className="gateway-panel-title">Examples</h2>
      <p className="gateway-panel-note">
        One for each operation. Each opens in a tab of its own, with the ids and the version of the customer you saw last.
      </p>
      <input
        type="search"
        className="gateway-field"
        placeholder="Find an example"
        aria-label="Find an example"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      {groups.map((group) => {
        const inGroup = shown.filter((one) => one.group === group);
        return inGroup.length === 0 ? null : (
          <div key={group}>
            <h3 className="gateway-panel-group">{group}</h3>
            <ul className="gateway-examples">
              {inGroup.map((one) => (
                <li key={one.title}>
                  <button type="button" onClick={() => void filled(one.variables, knownHeaders()).then((variables) => openTab(one.query, variables))}>
                    {one.title}
                  </button>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
      <h3 className="gateway-panel-group">Read on</h3>
      <ul className="gateway-links">
        <li><a href="/docs" target="_blank" rel="noopener">REST documentation<NewTab /></a></li>
        <li><a href="/problems" target="_blank" rel="noopener">Problems, their causes and cures<NewTab /></a></li>
        <li><a href="/openapi.json" target="_blank" rel="noopener">OpenAPI document<NewTab /></a></li>
      </ul>
      {shown.length === 0 && <p className="gateway-panel-note" role="status">Nothing has these words.</p>}
    </section>
  );
}

function NewTab() {
  return <span className="gateway-unseen"> (opens in a new tab)</span>;
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
      <path d="M4 5.5h16M4 12h10M4 18.5h7" /><path d="m16.5 14 4.5 3-4.5 3z" fill="currentColor" />
    </svg>
  );
}

export const examplesPlugin: GraphiQLPlugin = { title: 'Examples', icon: Icon, content: Examples };

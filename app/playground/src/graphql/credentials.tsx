import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { type FormEvent, useState } from 'react';
import { pretty } from './start';
import { noteHeaders } from './fetcher';

const HEADER = 'X-API-Key';

/** The headers in an editor, or null where they are no JSON object. */
function parsed(text: string): Record<string, string> | null {
  try {
    const value: unknown = JSON.parse(text.trim() || '{}');
    return value && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, string>) : null;
  } catch {
    return null;
  }
}

function withoutKey(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== HEADER.toLowerCase()));
}

function Credentials() {
  const { introspect } = useGraphiQLActions();
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const [key, setKey] = useState('');
  const [visible, setVisible] = useState(false);
  const [note, setNote] = useState('');

  function write(change: (headers: Record<string, string>) => Record<string, string>, done: string) {
    const headers = parsed(headerEditor?.getValue() ?? '');
    if (!headers) {
      setNote('The headers of this tab are no JSON object; mend them first.');
      return;
    }
    const text = pretty(change(headers));
    headerEditor?.setValue(text);
    noteHeaders(text);
    setNote(done);
    void introspect();
  }

  function use(event: FormEvent) {
    event.preventDefault();
    write((headers) => ({ ...withoutKey(headers), [HEADER]: key.trim() }), 'The key is in the headers of this tab.');
    setKey('');
  }

  return (
    <section className="gateway-panel" aria-label="Credentials">
      <h2 className="gateway-panel-title">Credentials</h2>
      <p className="gateway-panel-note">
        A key is sent as <code>{HEADER}</code>, from the headers of the tab. New tabs take over the headers of the one before.
      </p>
      <form onSubmit={use}>
        <label className="gateway-label" htmlFor="gateway-key">API key</label>
        <input
          id="gateway-key"
          className="gateway-field"
          type={visible ? 'text' : 'password'}
          autoComplete="off"
          spellCheck={false}
          required
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <label className="gateway-check">
          <input type="checkbox" checked={visible} onChange={(event) => setVisible(event.target.checked)} /> Show it
        </label>
        <div className="gateway-buttons">
          <button type="submit" className="gateway-button">Use this key</button>
          <button type="button" className="gateway-button" onClick={() => write(withoutKey, 'The key is out of the headers of this tab.')}>
            Remove
          </button>
        </div>
      </form>
      <p className="gateway-panel-note" role="status">{note}</p>
      <p className="gateway-panel-note">
        Bearer tokens go into the headers as <code>{'{"Authorization": "Bearer …"}'}</code>. Headers are kept in this browser;
        the settings (the cog below) can end that.
      </p>
    </section>
  );
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
      <circle cx="8" cy="15.5" r="4" /><path d="m11 12.5 8.5-8.5M16 7.5l3 3M13.5 10l2 2" />
    </svg>
  );
}

export const credentialsPlugin: GraphiQLPlugin = { title: 'Credentials', icon: Icon, content: Credentials };

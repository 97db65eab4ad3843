import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { type FormEvent, useState } from 'react';
import { noteHeaders } from './fetcher';
import { keepCredentials, keepsCredentials } from './kept';
import { pretty } from './start';
import { bearer, fetchToken, parsedHeaders, whoIs, withoutCredentials, type Headers } from './tokens';

type Place = 'key' | 'token' | 'tab';
type Tell = (text: string) => void;
type Use = (added: Headers, done: string, tell: Tell) => Promise<void>;

function Credentials() {
  const { introspect } = useGraphiQLActions();
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const [note, setNote] = useState<{ place: Place; text: string } | null>(null);
  const at = (place: Place) => ({ tell: (text: string) => setNote({ place, text }), note: note?.place === place ? note.text : '' });

  /** Puts credentials into the headers of the tab, in the place of those that are there, and tells whose they are. */
  const use: Use = async (added, done, tell) => {
    const headers = parsedHeaders(headerEditor?.getValue() ?? '');
    if (!headers) return tell('The headers of this tab are no JSON object; mend them first.');
    const text = pretty({ ...withoutCredentials(headers), ...added });
    headerEditor?.setValue(text);
    noteHeaders(text);
    void introspect();
    tell(`${done}${Object.keys(added).length ? ` ${await whoIs(added)}` : ''}`);
  };

  return (
    <section className="gateway-panel" aria-label="Credentials">
      <h2 className="gateway-panel-title">Credentials</h2>
      <p className="gateway-panel-note">They go into the headers of the tab. New tabs take over the headers of the one before.</p>
      <ApiKey use={use} {...at('key')} />
      <Token use={use} {...at('token')} />
      <Keeping />
      <div className="gateway-buttons">
        <button type="button" className="gateway-button" onClick={() => void use({}, 'The credentials are out of the headers of this tab.', at('tab').tell)}>
          Remove credentials
        </button>
      </div>
      <Note text={at('tab').note} />
    </section>
  );
}

/** What came of it, where it was asked for. */
function Note({ text }: { text: string }) {
  return <p className="gateway-note" role="status">{text}</p>;
}

interface FormProps { use: Use; tell: Tell; note: string }

function ApiKey({ use, tell, note }: FormProps) {
  const [key, setKey] = useState('');
  function submit(event: FormEvent) {
    event.preventDefault();
    void use({ 'X-API-Key': key.trim() }, 'The key is in the headers of this tab.', tell);
    setKey('');
  }
  return (
    <form onSubmit={submit}>
      <h3 className="gateway-panel-group">By API key</h3>
      <Secret id="gateway-key" label="API key" value={key} onChange={setKey} />
      <div className="gateway-buttons"><button type="submit" className="gateway-button">Use this key</button></div>
      <Note text={note} />
    </form>
  );
}

function Token({ use, tell, note }: FormProps) {
  const [client, setClient] = useState('');
  const [secret, setSecret] = useState('');
  const [scope, setScope] = useState('');
  async function submit(event: FormEvent) {
    event.preventDefault();
    tell('Asking for a token…');
    const token = await fetchToken(client.trim(), secret.trim(), scope.trim());
    if ('fault' in token) return tell(token.fault);
    setSecret('');
    const until = new Date(Date.now() + token.seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    await use(bearer(token.token), `The token is in the headers of this tab, good until ${until}.`, tell);
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h3 className="gateway-panel-group">By access token (OAuth 2.0 client credentials)</h3>
      <label className="gateway-label" htmlFor="gateway-client">Client id</label>
      <input id="gateway-client" className="gateway-field" autoComplete="off" spellCheck={false} required value={client} onChange={(event) => setClient(event.target.value)} />
      <Secret id="gateway-secret" label="Client secret" value={secret} onChange={setSecret} />
      <label className="gateway-label" htmlFor="gateway-scope">Scopes, with blanks between; empty for all</label>
      <input id="gateway-scope" className="gateway-field" autoComplete="off" spellCheck={false} placeholder="customers:read" value={scope} onChange={(event) => setScope(event.target.value)} />
      <div className="gateway-buttons"><button type="submit" className="gateway-button">Fetch a token</button></div>
      <Note text={note} />
    </form>
  );
}

function Keeping() {
  const [keep, setKeep] = useState(keepsCredentials);
  function change(wanted: boolean) {
    keepCredentials(wanted);
    setKeep(wanted);
  }
  return (
    <>
      <label className="gateway-check">
        <input type="checkbox" checked={keep} onChange={(event) => change(event.target.checked)} /> Keep headers in this browser
      </label>
      <p className="gateway-panel-note">
        {keep ? 'Headers stay in the storage of this browser until you clear this.' : 'Headers are forgotten when this browser tab is closed.'}
      </p>
    </>
  );
}

interface SecretProps { id: string; label: string; value: string; onChange: (value: string) => void }

function Secret({ id, label, value, onChange }: SecretProps) {
  const [visible, setVisible] = useState(false);
  return (
    <>
      <label className="gateway-label" htmlFor={id}>{label}</label>
      <input id={id} className="gateway-field" type={visible ? 'text' : 'password'} autoComplete="off" spellCheck={false} required value={value} onChange={(event) => onChange(event.target.value)} />
      <label className="gateway-check">
        <input type="checkbox" checked={visible} onChange={(event) => setVisible(event.target.checked)} /> Show it
      </label>
    </>
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

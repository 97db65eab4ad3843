import type { GraphiQLPlugin } from '@graphiql/react';
import { Fragment, useState, type ReactNode } from 'react';
import { copy } from '../copy';
import doors from '../doors.json';
import { NoTwin, addressOf, curlLine, twinsOf } from '../twin/twins.js';
import type { Doors } from '../twin/refusal.js';
import type { RestTwin } from '../twin/rest-parts.js';
import type { GraphQLTwin } from '../twin/graphql-parts.js';
import { useWritten, type Written } from './editors';
import { knownHeaders } from './fetcher';
import { Listen } from './listen';
import { pretty, prettyText } from './start';
import { useOpenTab } from './tabs';

let made: ReturnType<typeof twinsOf> | undefined;
/** Made when it is first needed: the schema in it takes a moment. */
const twins = () => (made ??= twinsOf(doors as unknown as Doors));

/** What a translation gives, or why there is none. */
function attempt<T>(translate: () => T): { found: T } | { why: string } {
  try {
    return { found: translate() };
  } catch (fault) {
    // Whatever is typed, the rest of the page stays.
    if (!(fault instanceof NoTwin)) console.error(fault);
    return { why: fault instanceof NoTwin ? fault.message : `It cannot be translated: ${String(fault)}` };
  }
}

function restOf({ query, variables, operationName }: Written): RestTwin[] {
  let values: unknown;
  try {
    values = JSON.parse(variables.trim() || '{}');
  } catch {
    throw new NoTwin('The variables are no JSON.');
  }
  return twins().toRest(query, (values ?? {}) as Record<string, unknown>, operationName);
}

function Twin() {
  const written = useWritten();
  const rest = attempt(() => restOf(written));
  return (
    <section className="gateway-panel" aria-label="REST twin">
      <h2 className="gateway-panel-title">REST twin</h2>
      <h3 className="gateway-panel-group">The operation in the editor, in REST</h3>
      {'why' in rest ? <Why text={rest.why} /> : <RestTwins twins={rest.found} />}
      <FromRest />
    </section>
  );
}

function Why({ text }: { text: string }) {
  return <p className="gateway-why" role="status"><strong>No twin.</strong> {text}</p>;
}

function RestTwins({ twins: found }: { twins: RestTwin[] }) {
  return (
    <>
      {found.length > 1 && <Why text={`REST answers one question a request: these are ${found.length} requests.`} />}
      {found.map((one, index) => <OneRestTwin key={index} twin={one} />)}
    </>
  );
}

function OneRestTwin({ twin }: { twin: RestTwin }) {
  const declared = doors.operations.find((one) => one.name === twin.operation);
  return (
    <div className="gateway-twin">
      <p className="gateway-panel-note">
        {declared?.summary} · <a href={`/docs#/${declared?.docs.replaceAll(' ', '%20')}`} target="_blank" rel="noopener">{twin.operation}<span className="gateway-unseen"> in the REST documentation (opens in a new tab)</span></a>
      </p>
      <Code name="Address" text={`${twin.request.method} ${addressOf(twin.request)}`} copied={location.origin + addressOf(twin.request)} />
      <Code name="curl" text={curlLine(twin.request, location.origin)} />
      <Notes notes={twin.notes} />
      {twin.request.stream ? <Listen key={JSON.stringify(twin.request)} request={twin.request} /> : <Send twin={twin} />}
    </div>
  );
}

/** Sends the request of REST with the credentials of the tab and shows what it answers. */
function Send({ twin }: { twin: RestTwin }) {
  const [answer, setAnswer] = useState('');
  const address = addressOf(twin.request);
  const changes = twin.request.method !== 'GET' && !address.endsWith(':search') && !address.includes('dryRun=true');

  async function send() {
    const { method, headers, body } = twin.request;
    setAnswer('Sending…');
    try {
      const response = await fetch(address, { method, headers: { Accept: 'application/json', ...knownHeaders(), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await response.text();
      const told = ['ETag', 'Location', 'Next-Cursor'].flatMap((name) => (response.headers.has(name) ? [`${name}: ${response.headers.get(name)}`] : []));
      setAnswer([`${response.status} ${response.statusText}`, ...told, '', prettyText(text)].join('\n').trim());
    } catch (fault) {
      setAnswer(`The request could not be sent: ${String(fault)}`);
    }
  }

  return (
    <>
      <div className="gateway-buttons">
        <button type="button" className="gateway-button" onClick={() => void send()}>{changes ? 'Send it: this changes data' : 'Send it'}</button>
        {answer && <button type="button" className="gateway-button" onClick={() => setAnswer('')}>Clear</button>}
      </div>
      {answer && <pre className="gateway-sent" role="status" aria-label="What REST answered" tabIndex={0}>{answer}</pre>}
    </>
  );
}

function FromRest() {
  const [text, setText] = useState('');
  const found = text.trim() ? attempt(() => twins().toGraphQL(text)) : null;
  return (
    <div className="gateway-from-rest">
      <h3 className="gateway-panel-group"><label htmlFor="gateway-rest">A REST address or curl line, in GraphQL</label></h3>
      <textarea
        id="gateway-rest"
        className="gateway-field"
        rows={4}
        spellCheck={false}
        autoComplete="off"
        placeholder={'/api/v1/customers?city=Berlin&sort=lastName,desc'}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {found && ('why' in found ? <Why text={found.why} /> : <GraphQLSide twin={found.found} />)}
    </div>
  );
}

function GraphQLSide({ twin }: { twin: GraphQLTwin }) {
  const openTab = useOpenTab();
  return (
    <div className="gateway-twin">
      <div className="gateway-buttons">
        <button type="button" className="gateway-button" onClick={() => openTab(twin.query, twin.variables)}>Open in a new tab</button>
      </div>
      <Code name="GraphQL" text={twin.query} />
      {Object.keys(twin.variables).length > 0 && <Code name="Variables" text={pretty(twin.variables)} />}
      <Notes notes={twin.notes} />
    </div>
  );
}

function Notes({ notes }: { notes: string[] }): ReactNode {
  return notes.length === 0 ? null : <ul className="gateway-notes">{notes.map((note) => <li key={note}>{note}</li>)}</ul>;
}

function Code({ name, text, copied = text }: { name: string; text: string; copied?: string }) {
  const [done, setDone] = useState(false);
  async function onClick() {
    setDone(await copy(copied));
    setTimeout(() => setDone(false), 2000);
  }
  return (
    <figure className="gateway-code-block">
      <figcaption>
        {name}
        <button type="button" className="gateway-button" aria-label={`Copy: ${name}`} onClick={() => void onClick()}>{done ? 'Copied' : 'Copy'}</button>
      </figcaption>
      <pre tabIndex={0} aria-label={name}><Broken text={text} /></pre>
    </figure>
  );
}

/** A text that may be broken where an address has its joints. */
function Broken({ text }: { text: string }) {
  return text.split(/(?<=[?&,])(?=\S)/).map((part, index) => <Fragment key={index}>{index > 0 && <wbr />}{part}</Fragment>);
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
      <path d="M4 8h15m0 0-4-4m4 4-4 4M20 16H5m0 0 4-4m-4 4 4 4" />
    </svg>
  );
}

export const twinPlugin: GraphiQLPlugin = { title: 'REST twin', icon: Icon, content: Twin };

import { useEffect, useRef, useState } from 'react';
import type { Request } from '../twin/requests.js';
import { addressOf } from '../twin/twins.js';
import { knownHeaders } from './fetcher';
import { prettyText } from './start';

/** Characters: of a long stream the end is shown. */
const MOST = 20_000;

/** Follows server-sent events with the credentials of the tab, as they come, until it is stopped or goes. */
export function Listen({ request }: { request: Request }) {
  const [text, setText] = useState('');
  const [listening, setListening] = useState<AbortController | null>(null);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => () => listening?.abort(), [listening]);
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);

  async function listen() {
    const controller = new AbortController();
    setListening(controller);
    setText('Connecting…');
    try {
      await follow(request, controller.signal, setText);
    } catch (fault) {
      if (!controller.signal.aborted) setText((before) => `${before}\nThe stream was lost: ${String(fault)}`);
    } finally {
      setListening(null);
    }
  }

  return (
    <>
      <div className="gateway-buttons">
        {listening ? <button type="button" className="gateway-button" onClick={() => listening.abort()}>Stop listening</button> : <button type="button" className="gateway-button" onClick={() => void listen()}>Listen</button>}
        {text && !listening && <button type="button" className="gateway-button" onClick={() => setText('')}>Clear</button>}
      </div>
      {text && <pre ref={box} className="gateway-sent" role="log" aria-label="What REST sends" tabIndex={0}>{text}</pre>}
    </>
  );
}

async function follow(request: Request, signal: AbortSignal, show: (change: (before: string) => string) => void) {
  const response = await fetch(addressOf(request), { headers: { Accept: 'text/event-stream', ...knownHeaders(), ...request.headers }, signal });
  const head = `${response.status} ${response.statusText}\n\n`;
  if (!response.ok || !response.body) {
    const refusal = prettyText(await response.text());
    return show(() => head + refusal);
  }
  show(() => head);
  for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    show((before) => (before + value).slice(-MOST));
  }
}

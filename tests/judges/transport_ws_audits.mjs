/**
 * Hold a gateway against the graphql-transport-ws protocol, by the close codes and the reader of messages of graphql-ws,
 * and print {total, ok, failures} as JSON.
 *
 * Usage: GATEWAY_KEY=… node transport_ws_audits.mjs ws://127.0.0.1:8000/graphql
 */
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, createClient, validateMessage } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.argv[2];
const key = process.env.GATEWAY_KEY ?? '';
const init = { type: 'connection_init', payload: { 'X-API-Key': key } };
const ask = (id, query) => ({ id, type: 'subscribe', payload: { query } });
const WATCH = 'subscription { customerChanged { id } }';
const SECONDS = 20;

/** Open a socket, send messages one after the other's answer where `wait` says so, and tell codes and messages. */
function talk(messages, { protocol = GRAPHQL_TRANSPORT_WS_PROTOCOL, until = () => false } = {}) {
  return new Promise((resolve, reject) => {
    const heard = [];
    const socket = new WebSocket(url, protocol);
    const timer = setTimeout(() => { socket.terminate(); reject(new Error('nothing came')); }, SECONDS * 1000);
    const end = (code) => { clearTimeout(timer); resolve({ code, heard }); };
    const queue = [...messages];
    const next = () => { while (queue.length) { const one = queue.shift(); if (one === 'ack') return; send(one); } };
    const send = (one) => socket.send(typeof one === 'string' || one instanceof Uint8Array ? one : JSON.stringify(one));
    socket.on('open', next);
    socket.on('error', () => end(0));
    socket.on('close', (code) => end(code));
    socket.on('message', (data) => {
      const message = validateMessage(JSON.parse(String(data)));
      heard.push(message);
      if (message.type === 'connection_ack') next();
      if (until(message)) { socket.close(1000); }
    });
  });
}

const closes = (code, ...messages) => async () => {
  const told = await talk(messages);
  if (told.code !== code) throw new Error(`closed with ${told.code}`);
};
const hears = (test, ...messages) => async () => {
  const told = await talk(messages, { until: test });
  if (!told.heard.some(test)) throw new Error(`heard ${JSON.stringify(told.heard)}`);
};
const is = (type, id) => (message) => message.type === type && (id === undefined || message.id === id);

/** Ask by the client of graphql-ws itself. */
async function byClient() {
  const client = createClient({ url, webSocketImpl: WebSocket, connectionParams: init.payload, retryAttempts: 0 });
  try {
    for await (const result of client.iterate({ query: '{ viewer { name } }' })) {
      if (!result.data?.viewer) throw new Error(JSON.stringify(result));
      return;
    }
    throw new Error('no result');
  } finally {
    await client.dispose();
  }
}

const audits = {
  'a subprotocol that is not spoken': async () => {
    const told = await talk([], { protocol: 'graphql-ws' });
    if (told.code !== CloseCode.SubprotocolNotAcceptable && told.code !== 0) throw new Error(`closed with ${told.code}`);
  },
  'no greeting in time': closes(CloseCode.ConnectionInitialisationTimeout),
  'a second greeting': closes(CloseCode.TooManyInitialisationRequests, init, 'ack', init),
  'a second greeting at once': closes(CloseCode.TooManyInitialisationRequests, init, init),
  'an operation before the greeting': closes(CloseCode.Unauthorized, ask('1', WATCH)),
  'no credentials': closes(CloseCode.Forbidden, { type: 'connection_init' }),
  'bad credentials': closes(CloseCode.Forbidden, { type: 'connection_init', payload: { 'X-API-Key': 'cgw_x' } }),
  'the same id twice': closes(CloseCode.SubscriberAlreadyExists, init, 'ack', ask('1', WATCH), ask('1', WATCH)),
  'no JSON': closes(CloseCode.BadRequest, init, 'ack', '{'),
  'JSON that is no message': closes(CloseCode.BadRequest, init, 'ack', '[]'),
  'a message of no type': closes(CloseCode.BadRequest, init, 'ack', { id: '1' }),
  'a message of an unknown type': closes(CloseCode.BadRequest, init, 'ack', { type: 'start', id: '1' }),
  'an operation without an id': closes(CloseCode.BadRequest, init, 'ack', { type: 'subscribe', payload: { query: WATCH } }),
  'an operation without a document': closes(CloseCode.BadRequest, init, 'ack', { type: 'subscribe', id: '1', payload: {} }),
  'a greeting with a wrong payload': closes(CloseCode.BadRequest, { type: 'connection_init', payload: 1 }),
  'the greeting is answered': hears(is('connection_ack'), init),
  'a ping before the greeting is answered': hears(is('pong'), { type: 'ping' }, init),
  'a ping is answered': hears(is('pong'), init, 'ack', { type: 'ping', payload: { a: 1 } }),
  'a pong that nobody asked for is taken': hears(is('pong'), init, 'ack', { type: 'pong' }, { type: 'ping' }),
  'a query has one result': hears(is('next', '1'), init, 'ack', ask('1', '{ viewer { name } }')),
  'a query is completed': hears(is('complete', '1'), init, 'ack', ask('1', '{ viewer { name } }')),
  'a document that is none is an error': hears(is('error', '1'), init, 'ack', ask('1', '{')),
  'a document that does not fit is an error': hears(is('error', '1'), init, 'ack', ask('1', '{ nothing }')),
  'an id may be used again': hears(is('complete', '1'), init, 'ack', ask('1', WATCH), { type: 'complete', id: '1' },
    ask('1', '{ viewer { name } }')),
  'an end of what is not there is taken': hears(is('pong'), init, 'ack', { type: 'complete', id: 'x' }, { type: 'ping' }),
  'the client of graphql-ws': byClient,
};

const failures = [];
await Promise.all(Object.entries(audits).map(async ([name, audit]) => {
  try {
    await audit();
  } catch (error) {
    failures.push({ name, reason: String(error) });
  }
}));
const total = Object.keys(audits).length;
console.log(JSON.stringify({ total, ok: total - failures.length, failures }));
process.exit(0);

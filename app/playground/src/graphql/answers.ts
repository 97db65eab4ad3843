/** What is known of the last answer beside its data: how long it took, what it cost, what is left, what was refused. */
import { useSyncExternalStore } from 'react';

export interface Fault { field?: string; message: string }
export interface Refusal { title: string; detail: string; status?: number; code?: number; page?: string; place?: string; faults: Fault[] }
export interface Answer {
  status: number;
  milliseconds: number;
  cost: { requested?: number; limit?: number; units?: number } | null;
  budget: { left: number; limit: number; reset: number } | null;
  refusals: Refusal[];
  requestId: string | null;
}
/** What is known of a subscription: how it stands, and how many events have come. */
export interface Stream { stream: { state: string; events: number }; refusals: Refusal[] }

let last: Answer | Stream | null = null;
const listeners = new Set<() => void>();

export function noteAnswer(answer: Answer | Stream | null): void {
  last = answer;
  for (const listener of listeners) listener();
}

export function useAnswer(): Answer | Stream | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => last,
  );
}

/** The answer of a response, GraphQL's or a problem of HTTP. */
export function answerOf(response: Response, body: unknown, milliseconds: number): Answer {
  const found = record(body);
  return {
    status: response.status,
    milliseconds,
    cost: (record(found['extensions'])['cost'] as Answer['cost']) ?? null,
    budget: budgetOf(response.headers),
    refusals: Array.isArray(found['errors']) ? refusalsOf(found['errors']) : found['title'] ? [refusalOf(found)] : [],
    requestId: response.headers.get('X-Request-Id'),
  };
}

function record(value: unknown): Record<string, unknown> {
  return value && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The budget with the least left (RateLimit Header Fields for HTTP), or null where nothing is limited. */
function budgetOf(headers: Headers): Answer['budget'] {
  const [, name, left, reset] = /"([^"]*)";r=(\d+);t=(\d+)/.exec(headers.get('RateLimit') ?? '') ?? [];
  const policy = (headers.get('RateLimit-Policy') ?? '').split(',').find((one) => one.includes(`"${name}"`));
  const limit = /;q=(\d+)/.exec(policy ?? '')?.[1];
  return left && reset && limit ? { left: Number(left), reset: Number(reset), limit: Number(limit) } : null;
}

/** The errors of a result of GraphQL. */
export const refusalsOf = (errors: readonly unknown[] | undefined): Refusal[] => (errors ?? []).map(refusalOf);

function refusalOf(error: unknown): Refusal {
  const found = record(error);
  const problem = { ...found, ...record(found['extensions']) };
  const [at] = Array.isArray(found['locations']) ? found['locations'].map(record) : [];
  const path = Array.isArray(found['path']) ? found['path'].join('.') : '';
  const place = [path && `at ${path}`, at && `line ${at['line']}, column ${at['column']}`].filter(Boolean).join(', ');
  const type = typeof problem['type'] === 'string' && URL.canParse(problem['type'], location.href) ? new URL(problem['type'], location.href).pathname : '';
  return {
    title: String(problem['title'] ?? 'Error'),
    detail: String(found['message'] ?? found['detail'] ?? ''),
    ...(typeof problem['status'] === 'number' ? { status: problem['status'] } : {}),
    ...(typeof problem['code'] === 'number' ? { code: problem['code'] } : {}),
    // On this origin, wherever the gateway is known by another name.
    ...(type.includes('/problems/') ? { page: type.slice(type.indexOf('/problems/')) } : {}),
    ...(place ? { place } : {}),
    faults: (Array.isArray(problem['errors']) ? problem['errors'] : []).map((fault) => {
      const told = record(fault);
      return { message: String(told['message'] ?? ''), ...(told['field'] ? { field: String(told['field']) } : {}) };
    }),
  };
}

import type { Fetcher } from '@graphiql/toolkit';
import { getOperationAST, parse } from 'graphql';
import { answerOf, noteAnswer } from './answers';
import { remember } from './seen';
import { subscription, type Operation } from './subscription';

const ENDPOINT = '/graphql';

/** The headers in the editor, for the first look at the schema, which GraphiQL takes before it has an editor. */
let typed: Record<string, string> = {};

export function noteHeaders(text: string): void {
  try {
    const value: unknown = JSON.parse(text || '{}');
    if (value && typeof value === 'object' && !Array.isArray(value)) typed = value as Record<string, string>;
  } catch {
    // Half-typed JSON: the last whole headers stay.
  }
}

/** The headers as last known: the tab's own. */
export const knownHeaders = (): Record<string, string> => typed;

/** Sends one operation to this server, or follows it. Rejects when the answer is no JSON, with what came instead. */
export const fetcher: Fetcher = async (params, options) => {
  if (isSubscription(params)) return subscription(ENDPOINT, params, options?.headers ?? typed);

  const began = performance.now();
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'Content-Type': 'application/json',
      ...(options?.headers ?? typed),
    },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  try {
    const result = JSON.parse(text);
    // Not GraphiQL's own question about the schema.
    if (params.operationName !== 'IntrospectionQuery') noteAnswer(answerOf(response, result, performance.now() - began));
    if (response.ok) remember(params, result);
    return result;
  } catch (fault) {
    throw new Error(`The server answered ${response.status} and no JSON: ${text.slice(0, 300) || 'nothing'}`, { cause: fault });
  }
};

/** Read from the text itself: the editor's own reading of it may be a moment behind. */
function isSubscription({ query, operationName }: Operation): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    return false; // the gateway says what is wrong with it
  }
}

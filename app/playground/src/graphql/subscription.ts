/**
 * Subscriptions over graphql-transport-ws at the address of GraphQL.
 *
 * A browser sends no headers of ours when it opens a socket: the credentials go into the first message. A gateway that refuses
 * them only closes the socket; why, is asked by a request.
 */
import type { Observable } from '@graphiql/toolkit';
import type { ExecutionResult } from 'graphql';
import type { Client } from 'graphql-ws/client';
import { answerOf, noteAnswer, refusalsOf, type Refusal } from './answers';
import { credentialsOf, type Headers } from './tokens';

export interface Operation { query: string; operationName?: string | null; variables?: unknown }
interface Observer { next: (result: ExecutionResult) => void; complete: () => void }

const KEEP_ALIVE = 20_000;

/** The results of a subscription, as GraphiQL follows them; the stop button unsubscribes. */
export function subscription(address: string, operation: Operation, headers: Headers): Observable<ExecutionResult> {
  return {
    subscribe(observer: unknown) {
      const following = new Following(address, operation, headers, observer as Observer);
      void following.begin();
      return { unsubscribe: () => following.stop() };
    },
  };
}

/** One subscription from its start to its end, and what is told about it below the answer. */
class Following {
  private client: Client | null = null;
  private events = 0;
  private over = false;
  private readonly began = performance.now();

  constructor(
    private readonly address: string,
    private readonly operation: Operation,
    private readonly headers: Headers,
    private readonly observer: Observer,
  ) {}

  async begin(): Promise<void> {
    this.tell('connecting');
    try {
      // Loaded with the first subscription: most visits have none.
      const { createClient } = await import('graphql-ws/client');
      if (this.over) return;
      this.client = createClient({
        url: new URL(this.address, location.href.replace(/^http/, 'ws')).href,
        connectionParams: credentialsOf(this.headers),
        retryAttempts: 0,
        keepAlive: KEEP_ALIVE,
        on: { connected: () => this.tell('listening') },
      });
      const { query, operationName, variables } = this.operation;
      this.client.subscribe(
        { query, operationName, variables: variables as Record<string, unknown> },
        { next: (result) => this.take(result as ExecutionResult), error: (fault) => void this.fail(fault), complete: () => this.end([]) },
      );
    } catch (fault) {
      await this.fail(fault);
    }
  }

  stop(): void {
    if (this.over) return;
    this.over = true;
    void this.client?.dispose();
    this.tell('stopped');
  }

  private take(result: ExecutionResult): void {
    if (this.over) return;
    this.events++;
    this.tell('listening', refusalsOf(result.errors));
    this.observer.next(result);
  }

  /** An operation that was refused, or a socket that was closed. */
  private async fail(fault: unknown): Promise<void> {
    if (this.over) return;
    if (Array.isArray(fault)) return this.end(fault);
    const refused = isClosing(fault) ? await this.refusal() : null;
    if (refused && !this.over) {
      this.over = true;
      noteAnswer(answerOf(refused.response, refused.body, performance.now() - this.began));
      if (this.events === 0) this.observer.next(refused.body);
      this.observer.complete();
      return;
    }
    this.end([{ message: isClosing(fault) ? `The connection was closed (${[fault.code, fault.reason].filter(Boolean).join(' ')}). Run it again to go on.` : String(fault) }]);
  }

  /** What the gateway has against these credentials, or against any request now. */
  private async refusal(): Promise<{ response: Response; body: ExecutionResult } | null> {
    try {
      const response = await fetch(this.address, {
        method: 'POST',
        headers: { Accept: 'application/graphql-response+json', 'Content-Type': 'application/json', ...this.headers },
        body: JSON.stringify({ query: '{ __typename }' }),
      });
      return response.ok ? null : { response, body: (await response.json()) as ExecutionResult };
    } catch {
      return null; // nobody answers: that the connection is closed says as much
    }
  }

  /** The last event stays in sight; what ended it is told below. */
  private end(errors: readonly unknown[]): void {
    if (this.over) return;
    this.over = true;
    this.tell('ended', refusalsOf(errors));
    if (errors.length > 0 && this.events === 0) this.observer.next({ errors } as ExecutionResult);
    this.observer.complete();
  }

  private tell(state: string, refusals: Refusal[] = []): void {
    noteAnswer({ stream: { state, events: this.events }, refusals });
  }
}

function isClosing(fault: unknown): fault is { code: number; reason: string } {
  return typeof fault === 'object' && fault !== null && 'code' in fault;
}

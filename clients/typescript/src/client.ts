import { Connection, type ConnectionOptions } from './connection.js';
import { GantryError } from './errors.js';
import { serverEvents } from './events.js';
import type { components, operations, paths } from './schema.js';

type Schemas = components['schemas'];
export type ExecutionSubmission = Schemas['ExecutionRequest'];
export type Execution = Schemas['Execution'];
export type System = Schemas['System'];

type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';
/** The paths of the contract that have a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never;
}[keyof paths];
type OperationOf<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O }
  ? O
  : never;
type JsonOf<R> = R extends { content: { 'application/json': infer T } } ? T : undefined;
type Success = 200 | 201 | 202 | 204;
/** What an operation answers with when it succeeds. */
export type AnswerOf<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends Success ? JsonOf<R[S]> : never }[keyof R]
  : never;
type BodyOf<O> = O extends { requestBody: { content: { 'application/json': infer T } } }
  ? T
  : undefined;
type PartOf<O, K extends 'path' | 'query'> = O extends { parameters: { [N in K]?: infer T } }
  ? T
  : undefined;
/** Path and query parameters, body, and a signal that ends the call. */
export interface RequestOptions<O> {
  path?: PartOf<O, 'path'>;
  query?: PartOf<O, 'query'>;
  body?: BodyOf<O>;
  signal?: AbortSignal | undefined;
}

/** What happens in an execution, as it happens. */
export type ExecutionEvent =
  | { type: 'progress'; data: Schemas['Progress'] }
  | { type: 'state'; data: Schemas['StateChange'] }
  | { type: 'stdout' | 'stderr'; data: Schemas['Output'] }
  | { type: 'verdict'; data: Execution };

export interface RunOptions {
  signal?: AbortSignal | undefined;
  onEvent?: ((event: ExecutionEvent) => void) | undefined;
}

/** How often a stream that breaks off is taken up again, and after what pause. */
const retriesMax = 5;
const retryPauseMs = 500;
const cancelDeadlineMs = 5_000;

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

function pathOf(template: string, path: object | undefined, query: object | undefined): string {
  let text = template;
  for (const [name, value] of Object.entries(path ?? {})) {
    text = text.replace(`{${name}}`, encodeURIComponent(String(value)));
  }
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 || String(search) === '' ? text : `${text}?${search}`;
}

/** The API of a Gantry server, typed by its contract. */
export class GantryClient {
  private readonly connection: Connection;

  constructor(options: ConnectionOptions = {}) {
    this.connection = new Connection(options);
  }

  /** Any operation: `client.request('get', '/api/v1/executions', { query: { limit: 5 } })`. */
  async request<M extends Method, P extends PathOf<M>>(
    method: M, path: P, options: RequestOptions<OperationOf<P, M>> = {},
  ): Promise<AnswerOf<OperationOf<P, M>>> {
    const target = pathOf(path, options.path as object | undefined,
      options.query as object | undefined);
    const { body, signal } = options;
    const response = await this.connection.send(method.toUpperCase(), target, { body, signal });
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as AnswerOf<OperationOf<P, M>>;
  }

  /** The server, its engine, its languages and limits. */
  system(): Promise<System> {
    return this.request('get', '/api/v1/system');
  }

  /** Takes a program and answers at once; `events` or `execution` tell what becomes of it. */
  submit(submission: ExecutionSubmission, signal?: AbortSignal): Promise<Execution> {
    return this.request('post', '/api/v1/executions', { body: submission, signal });
  }

  execution(id: string): Promise<Execution> {
    return this.request('get', '/api/v1/executions/{id}', { path: { id } });
  }

  /** Ends a program that waits or runs. */
  cancel(id: string): Promise<Execution> {
    return this.request('delete', '/api/v1/executions/{id}', { path: { id } });
  }

  /** What happens in an execution, from its start; ends after the verdict. */
  async *events(id: string, signal?: AbortSignal): AsyncGenerator<ExecutionEvent> {
    const path: keyof paths = '/api/v1/executions/{id}/events';
    const response = await this.connection.send('GET', pathOf(path, { id }, undefined),
      { accept: 'text/event-stream', signal });
    if (!response.body) return;
    for await (const { name, data } of serverEvents(response.body)) {
      yield { type: name, data: JSON.parse(data) } as ExecutionEvent;
    }
  }

  /**
   * Runs a program and answers when it has ended. Aborting the signal ends the program too; the
   * promise is then rejected with the signal's reason.
   */
  async run(submission: ExecutionSubmission, options: RunOptions = {}): Promise<Execution> {
    const { signal, onEvent } = options;
    const { id } = await this.take(submission, signal);
    try {
      return await this.follow(id, signal, onEvent);
    } catch (error) {
      if (signal?.aborted) await this.endQuietly(id);
      throw error;
    }
  }

  /** Submits; what is aborted meanwhile is ended as soon as its id is known. */
  private async take(
    submission: ExecutionSubmission, signal: AbortSignal | undefined,
  ): Promise<Execution> {
    signal?.throwIfAborted();
    const submitted = this.submit(submission);
    if (!signal) return submitted;
    let abort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
    });
    try {
      return await Promise.race([submitted, aborted]);
    } catch (error) {
      if (signal.aborted) submitted.then(({ id }) => this.endQuietly(id), () => undefined);
      throw error;
    } finally {
      if (abort) signal.removeEventListener('abort', abort);
    }
  }

  /** Follows an execution to its end; takes a broken stream up again. */
  private async follow(
    id: string, signal: AbortSignal | undefined, onEvent: RunOptions['onEvent'],
  ): Promise<Execution> {
    let told = 0;
    for (let attempt = 0; ; ++attempt) {
      let failure: unknown;
      try {
        let seen = 0;
        for await (const event of this.events(id, signal)) {
          // A stream begins at the start: what has been told is not told again.
          if (++seen > told) {
            told = seen;
            onEvent?.(event);
          }
          if (event.type === 'verdict') return event.data;
        }
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof GantryError) throw error;
        failure = error;
      }
      const now = await this.execution(id);
      if (now.state === 'finished') return now;
      if (attempt === retriesMax) {
        throw this.connection.unreachable(failure ?? new Error('its events break off'));
      }
      await pause(retryPauseMs);
    }
  }

  private async endQuietly(id: string): Promise<void> {
    // It may have ended in this moment, or the server may be gone: its limits end it anyway.
    const ended = this.cancel(id).catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise((done) => (timer = setTimeout(done, cancelDeadlineMs)));
    await Promise.race([ended, deadline]);
    clearTimeout(timer);
  }
}

export type { components, operations, paths };

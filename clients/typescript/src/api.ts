import { Connection, type ConnectionOptions } from './connection.js';
import { serverEvents, type ServerEvent } from './events.js';
import type { paths } from './schema.js';

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
type BodyOf<O> = O extends { requestBody?: infer B }
  ? [NonNullable<B>] extends [never]
    ? undefined
    : NonNullable<B> extends { content: { 'application/json': infer T } } ? T : undefined
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

/** As RequestOptions, for what is answered in pieces. */
export interface StreamOptions {
  path?: object;
  query?: object;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Where a stream that breaks off has come to, and where this one goes on. */
  position?: { lastEventId?: string | undefined };
}

function pathOf(template: string, path: object | undefined, query: object | undefined): string {
  let text = template;
  for (const [name, value] of Object.entries(path ?? {})) {
    text = text.replace(`{${name}}`, encodeURIComponent(String(value)));
  }
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const asked = String(search);
  return asked === '' ? text : `${text}?${asked}`;
}

/** The operations of a Gantry server, typed by its contract. */
export class Api {
  protected readonly connection: Connection;

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
    const answer = await this.connection.json(method.toUpperCase(), target, { body, signal });
    return answer as AnswerOf<OperationOf<P, M>>;
  }

  /** The server-sent events of any operation that has them, as they come. */
  async *stream(
    method: string, path: keyof paths, options: StreamOptions = {},
  ): AsyncGenerator<ServerEvent> {
    const { body, signal, position = {} } = options;
    const { lastEventId } = position;
    const response = await this.connection.send(method, pathOf(path, options.path, options.query),
      { accept: 'text/event-stream', body, signal, lastEventId });
    if (!response.body) return;
    const events = serverEvents(response.body, (id) => (position.lastEventId = id));
    try {
      for (;;) {
        const next = await this.connection.attempt(() => events.next(), signal);
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await events.return(undefined);
    }
  }

  /** What an operation answers with as plain text. */
  async text(
    method: string, path: keyof paths, at: object, query: object, signal?: AbortSignal,
  ): Promise<string> {
    const response = await this.connection.send(method, pathOf(path, at, query),
      { accept: 'text/plain', signal });
    return this.connection.attempt(() => response.text(), signal);
  }
}

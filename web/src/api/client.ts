import type { components } from './schema';
import { EventParser, type ServerEvent } from './sse';

export type Schemas = components['schemas'];
export type Artifact = Schemas['Artifact'];
export type AuditCheck = Schemas['AuditCheck'];
export type AuditRecord = Schemas['AuditRecord'];
export type Bounds = Schemas['Bounds'];
export type Choice = Schemas['Choice'];
export type Engine = Schemas['Engine'];
export type Execution = Schemas['Execution'];
export type ExecutionItem = Schemas['ExecutionItem'];
export type ExecutionRequest = Schemas['ExecutionRequest'];
export type ExecutionState = Schemas['ExecutionState'];
export type Image = Schemas['Image'];
export type InputFile = Schemas['InputFile'];
export type Limits = Schemas['Limits'];
/** Of the topics that the console follows. */
export type LiveMessage =
  | Schemas['LiveEvents']
  | Schemas['LiveGap']
  | Schemas['LiveExecution']
  | Schemas['LiveLogs']
  | Schemas['LiveDropped']
  | Schemas['LiveStats']
  | Schemas['LiveEnd']
  | Schemas['LiveError'];
export type Me = Schemas['Me'];
export type Pool = Schemas['Pool'];
export type Registry = Schemas['Registry'];
export type Role = Schemas['Role'];
export type Scope = Schemas['Scope'];
export type StreamInput = Schemas['StreamInput'];
export type System = Schemas['System'];
export type TokenItem = Schemas['TokenItem'];
export type TokenRequest = Schemas['TokenRequest'];
export type Trouble = Schemas['Trouble'];
export type User = Schemas['User'];
export type UserItem = Schemas['UserItem'];
export type Verdict = Schemas['Verdict'];
export type Workspace = Schemas['Workspace'];

/** What the server refused, or that it could not be reached (`server_unreachable`, status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly remedy?: string,
    /** The host that was asked; without one it is the server's own engine. */
    readonly host?: string,
  ) {
    super(detail);
  }

  static from(failure: unknown): Problem {
    if (failure instanceof Problem) return failure;
    return new Problem(0, 'server_unreachable', String(failure));
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** Parameters of a query; those without a value are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

interface Asking {
  readonly signal?: AbortSignal | undefined;
  readonly accept?: string;
}

let signed_out = (): void => {};

/** `handler` is called when a session has ended on the server's side. */
export function on_signed_out(handler: () => void): void {
  signed_out = handler;
}

/** The answer as it is, for streams; a refusal is thrown as a Problem. */
export async function request(
  method: Method,
  path: string,
  body?: unknown,
  { signal, accept }: Asking = {},
): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (accept) headers.Accept = accept;
  const response = await fetch(path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    credentials: 'same-origin',
    cache: 'no-store',
    signal: signal ?? null,
  }).catch((failure: unknown) => {
    if (signal?.aborted) throw failure;
    throw new Problem(0, 'server_unreachable', String(failure));
  });
  if (response.ok) return response;
  throw await read_problem(response, host_of(path));
}

/** The host that a path of the API is about. */
export function host_of(path: string): string | undefined {
  const name = /^\/api\/v1\/(?:hosts|projects)\/([^/?]+)/.exec(path)?.[1];
  return name === undefined ? undefined : decodeURIComponent(name);
}

async function read_problem(response: Response, host?: string): Promise<Problem> {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text) as Partial<Schemas['Problem']>;
    if (problem.code && problem.detail) {
      return new Problem(response.status, problem.code, problem.detail, problem.remedy, host);
    }
  } catch {
    // Not a problem document: a proxy in between may have answered.
  }
  return new Problem(response.status, 'unknown', `${response.status} ${response.statusText}`);
}

export async function call<T>(
  method: Method,
  path: string,
  body?: unknown,
  asking?: Asking,
): Promise<T> {
  try {
    const response = await request(method, path, body, asking);
    return (response.status === 204 ? undefined : await response.json()) as T;
  } catch (failure) {
    const problem = Problem.from(failure);
    if (problem.status === 401 && !path.endsWith('/sessions')) signed_out();
    throw problem;
  }
}

export const encode = encodeURIComponent;

/** `path` with the parameters of `query` that have a value. */
export function with_query(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (given.length === 0) return path;
  return `${path}?${given.map(([name, value]) => `${name}=${encode(String(value))}`).join('&')}`;
}

/** Where a file that a program left is downloaded. */
export function artifact_path(execution: string, index: number): string {
  return `/api/v1/executions/${encode(execution)}/artifacts/${index}`;
}

export const api = {
  me: () => call<Schemas['Me']>('GET', '/api/v1/me'),
  setup_state: () => call<Schemas['SetupState']>('GET', '/api/v1/setup'),
  create_owner: (owner: Schemas['SetupRequest']) =>
    call<Schemas['Me']>('POST', '/api/v1/setup', owner),
  sign_in: (who: Schemas['Credentials']) => call<Schemas['Me']>('POST', '/api/v1/sessions', who),
  sign_out: () => call<void>('DELETE', '/api/v1/sessions/current'),
  system: () => call<System>('GET', '/api/v1/system'),
  tokens: () => call<Schemas['TokenList']>('GET', '/api/v1/tokens'),
  create_token: (token: TokenRequest) =>
    call<Schemas['NewToken']>('POST', '/api/v1/tokens', token),
  revoke_token: (id: string) => call<void>('DELETE', `/api/v1/tokens/${encode(id)}`),
  run: (program: ExecutionRequest) => call<Execution>('POST', '/api/v1/executions', program),
  execution: (id: string) => call<Execution>('GET', `/api/v1/executions/${encode(id)}`),
  cancel: (id: string) => call<Execution>('DELETE', `/api/v1/executions/${encode(id)}`),
  executions: (query: Query) =>
    call<Schemas['ExecutionList']>('GET', with_query('/api/v1/executions', query)),
  users: () => call<Schemas['UserList']>('GET', '/api/v1/users'),
  create_user: (user: Schemas['UserRequest']) => call<UserItem>('POST', '/api/v1/users', user),
  change_user: (id: string, change: Schemas['UserChange']) =>
    call<UserItem>('PATCH', `/api/v1/users/${encode(id)}`, change),
  remove_user: (id: string) => call<void>('DELETE', `/api/v1/users/${encode(id)}`),
  change_password: (change: Schemas['PasswordChange']) =>
    call<void>('PUT', '/api/v1/me/password', change),
  audit: (query: Query) => call<Schemas['AuditList']>('GET', with_query('/api/v1/audit', query)),
  check_audit: () => call<AuditCheck>('GET', '/api/v1/audit/check'),
  pools: () => call<Schemas['PoolList']>('GET', '/api/v1/pools'),
  images: () => call<{ items: Image[] }>('GET', '/api/v1/images'),
  workspaces: () => call<{ items: Workspace[] }>('GET', '/api/v1/workspaces'),
  remove_workspace: (name: string) =>
    call<void>('DELETE', `/api/v1/workspaces/${encode(name)}`),
  registries: () => call<{ items: Registry[] }>('GET', '/api/v1/registries'),
  put_registry: (registry: { host: string; user: string; password: string }) =>
    call<Registry>('POST', '/api/v1/registries', registry),
  remove_registry: (id: string) => call<void>('DELETE', `/api/v1/registries/${encode(id)}`),
};

/** The events of one execution, from its start until the server ends the stream. */
export function execution_events(id: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  return events_of('GET', `/api/v1/executions/${encode(id)}/events`, { signal });
}

/** The events of any stream of the server; `body` is sent with a POST. */
export async function* events_of(
  method: Method,
  path: string,
  { body, signal }: { body?: unknown; signal?: AbortSignal },
): AsyncGenerator<ServerEvent> {
  const response = await request(method, path, body, { signal, accept: 'text/event-stream' });
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

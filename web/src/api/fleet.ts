import { call, encode, with_query, type Query, type Schemas } from './client';

export type HostState = 'connecting' | 'connected' | 'unreachable' | 'disabled';
export type ContainerState =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead';
export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface HostEngine {
  version: string;
  api_version: string;
  os: string;
  architecture: string;
  kernel: string;
  cpus: number;
  memory_bytes: number;
}

export interface Trouble {
  code: string;
  detail: string;
  remedy?: string;
}

export interface Host {
  name: string;
  endpoint: string;
  labels: Record<string, string>;
  groups: string[];
  note: string;
  default: boolean;
  enabled: boolean;
  state: HostState;
  since: string;
  error?: Trouble;
  engine?: HostEngine;
  containers: { total: number; running: number };
  stale: boolean;
  as_of: string | null;
  warnings: string[];
  /** Null until it is known. */
  via: 'direct' | 'forward' | 'dial-stdio' | null;
  /** Which secrets there are; told to admins, for hosts of these kinds. */
  tls?: { ca: boolean; certificate: boolean; key: boolean };
  ssh?: {
    jump: string[];
    identity: boolean;
    identity_file: string;
    passphrase: boolean;
    password: boolean;
    certificate: boolean;
    use_agent: boolean;
    config: boolean;
  };
}

export interface HostTls {
  ca?: string;
  certificate?: string;
  key?: string;
}

export interface HostSsh {
  jump?: string[];
  identity?: string;
  passphrase?: string;
  password?: string;
  certificate?: string;
  use_agent?: boolean;
  identity_file?: string;
  config?: boolean;
}

export interface HostRequest {
  name?: string;
  endpoint?: string;
  labels?: Record<string, string>;
  groups?: string[];
  note?: string;
  default?: boolean;
  enabled?: boolean;
  insecure_tcp?: boolean;
  tls?: HostTls;
  ssh?: HostSsh;
}

export interface TestStep {
  step: 'resolve' | 'connect' | 'authenticate' | 'host_key' | 'forward' | 'ping' | 'version';
  state: 'ok' | 'failed' | 'skipped';
  detail: string;
  remedy?: string;
  fingerprint?: string;
  took_ms: number;
}

export interface HostTest {
  ok: boolean;
  steps: TestStep[];
}

export interface Port {
  private: number;
  public?: number;
  ip?: string;
  protocol: string;
}

export interface FleetContainer {
  host: string;
  id: string;
  name: string;
  image: string;
  state: ContainerState;
  status: string;
  health?: Health;
  created_at: string;
  ports: Port[];
  labels: Record<string, string>;
  project?: string;
  service?: string;
}

export interface HostAge {
  name: string;
  stale: boolean;
  as_of: string | null;
  error?: Trouble;
}

export interface FleetContainerList {
  items: FleetContainer[];
  next: string | null;
  total: number;
  hosts: HostAge[];
  stale: boolean;
  as_of: string | null;
}

const base = '/api/v1/hosts';
export const of_host = (host: string): string => `${base}/${encode(host)}`;

/** What concerns the hosts themselves. */
export const hosts_api = {
  list: () => call<{ items: Host[]; next: string | null }>('GET', base),
  one: (name: string) => call<Host>('GET', of_host(name)),
  add: (host: HostRequest) => call<Host>('POST', base, host),
  change: (name: string, change: HostRequest) => call<Host>('PATCH', of_host(name), change),
  remove: (name: string) => call<void>('DELETE', of_host(name)),
  test: (name: string) => call<HostTest>('POST', `${of_host(name)}/test`),
  trust: (name: string, fingerprint: string) =>
    call<void>('POST', `${of_host(name)}/trust`, { fingerprint }),
};

export type Action = 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'kill' | 'remove';

export type ActionResult = Schemas['ContainerResult'];

export const of_container = (host: string, id: string): string =>
  `${of_host(host)}/containers/${encode(id)}`;

/** What concerns containers, over all hosts. */
export const containers_api = {
  list: (query: Query) =>
    call<FleetContainerList>('GET', with_query('/api/v1/containers', query)),
  act: (action: Action, containers: readonly { host: string; id: string }[], more: object = {}) =>
    call<{ results: ActionResult[] }>('POST', '/api/v1/containers/actions', {
      action,
      containers: containers.map(({ host, id }) => ({ host, id })),
      ...more,
    }),
};

import { call, encode, with_query, type Query, type Schemas } from './client';

export type Host = Schemas['Host'];
export type HostState = Host['state'];
export type NewHost = Schemas['NewHost'];
export type HostRequest = Schemas['HostChange'];
export type HostTls = Schemas['HostTls'];
export type HostSsh = Schemas['HostSsh'];
export type HostTest = Schemas['HostTest'];
export type HostDoctor = Schemas['HostDoctor'];
/** A host whose containers are listed: whether it answers, and since when it does not. */
export type HostAge = Schemas['HostFreshness'];
export type FleetContainer = Schemas['Container'];
export type FleetContainerList = Schemas['ContainerList'];
export type ContainerState = FleetContainer['state'];

const base = '/api/v1/hosts';
export const of_host = (host: string): string => `${base}/${encode(host)}`;

/** What concerns the hosts themselves. */
export const hosts_api = {
  list: () => call<Schemas['HostList']>('GET', base),
  one: (name: string, signal?: AbortSignal) =>
    call<Host>('GET', of_host(name), undefined, { signal }),
  add: (host: NewHost) => call<Host>('POST', base, host),
  change: (name: string, change: HostRequest) => call<Host>('PATCH', of_host(name), change),
  remove: (name: string) => call<void>('DELETE', of_host(name)),
  test: (name: string) => call<HostTest>('POST', `${of_host(name)}/test`),
  /** Examines it anew. */
  doctor: (name: string) => call<HostDoctor>('GET', `${of_host(name)}/doctor`),
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

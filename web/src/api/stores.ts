import { call, encode, events_of, with_query, type Query, type Schemas } from './client';
import type { ServerEvent } from './sse';
import { of_host } from './fleet';

export type Project = Schemas['Project'];
export type ProjectState = Project['state'];
export type ProjectLogLine = Schemas['ProjectLogLine'];
export type ProjectResult = Schemas['ProjectResult'];
export type PullProgress = Schemas['PullProgress'];
export type Prunable = Schemas['Prunable'];
export type Pruned = Schemas['Prune'];
export type UsedBy = Schemas['UsedBy'];
export type DiskUsage = Schemas['DiskUsage'];
export type DiskUsageKind = Schemas['DiskUsageKind'];
export type DiskUsageItem = Schemas['DiskUsageItem'];
export type FleetEvent = Schemas['HostEvent'];

export type ListedProject = Schemas['ProjectItem'];
export type StoredImage = Schemas['HostImageItem'];
export type Volume = Schemas['HostVolumeItem'];
export type Network = Schemas['HostNetworkItem'];

export type Store = 'images' | 'volumes' | 'networks';

interface Page<T> {
  items: T[];
  next: string | null;
  stale: boolean;
  as_of: string | null;
}

/** No page holds more, and no more pages are had. */
const page_max = 1_000;
const pages_max = 10;

/** A whole list, which comes from the server's memory. */
async function all_of<T>(path: string): Promise<Page<T>> {
  let page = await call<Page<T>>('GET', with_query(path, { limit: page_max }));
  const items = [...page.items];
  for (let more = 1; page.next !== null && more < pages_max; more += 1) {
    const query = { limit: page_max, cursor: page.next };
    page = await call<Page<T>>('GET', with_query(path, query));
    items.push(...page.items);
  }
  return { ...page, items };
}

const at = (host: string, store: Store): string => `${of_host(host)}/${store}`;

export const projects_api = {
  list: (query: Query) =>
    call<Schemas['ProjectList']>(
      'GET',
      with_query('/api/v1/projects', query),
    ),
  one: (host: string, name: string) => call<Project>('GET', projects_api.path(host, name)),
  act: (host: string, name: string, verb: 'start' | 'stop' | 'restart') =>
    call<Schemas['ProjectChange']>(
      'POST',
      `${projects_api.path(host, name)}/${verb}`,
      {},
    ),
  path: (host: string, name: string): string => `${of_host(host)}/projects/${encode(name)}`,
};

export const stores_api = {
  images: (host: string) => all_of<StoredImage>(at(host, 'images')),
  volumes: (host: string) => all_of<Volume>(at(host, 'volumes')),
  networks: (host: string) => all_of<Network>(at(host, 'networks')),
  /** Who holds on to one thing. */
  used_by: async (host: string, store: Store, id: string): Promise<UsedBy> =>
    (await call<{ used_by: UsedBy }>('GET', `${at(host, store)}/${encode(id)}`)).used_by,
  remove: (host: string, store: Store, id: string, query: Query = {}) =>
    call<unknown>('DELETE', with_query(`${at(host, store)}/${encode(id)}`, query)),
  preview: (host: string, store: Store, which: string | undefined) =>
    call<Pruned>('POST', `${at(host, store)}/prune`, {
      preview: true,
      which,
    }),
  /** Removes what a preview has told of, as far as it would still go. */
  prune: (host: string, store: Store, which: string | undefined, ids: readonly string[]) =>
    call<Pruned>('POST', `${at(host, store)}/prune`, { ids, which }),
  pull: (host: string, image: string, signal: AbortSignal): AsyncGenerator<ServerEvent> =>
    events_of('POST', `${at(host, 'images')}/pull`, { body: { reference: image }, signal }),
  tag: (host: string, id: string, tag: string) =>
    call<unknown>('POST', `${at(host, 'images')}/${encode(id)}/tag`, { reference: tag }),
  create_volume: (host: string, name: string) =>
    call<unknown>('POST', at(host, 'volumes'), { name }),
  create_network: (host: string, wanted: { name: string; internal: boolean }) =>
    call<unknown>('POST', at(host, 'networks'), wanted),
  disk: (host: string) => call<DiskUsage>('GET', `${of_host(host)}/disk-usage`),
};

export function fleet_events(query: Query, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  return events_of('GET', with_query('/api/v1/events', query), { signal });
}

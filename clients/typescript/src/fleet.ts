import type { Api } from './api.js';
import { BusyError, ConnectionError } from './errors.js';
import type {
  BulkAction, Container, ContainerList, ContainerQuery, ContainerResult, ContainerTarget, HostInfo,
  NewHost, ProjectItem, Schemas,
} from './models.js';
import { isNotNow, restFor, retryPausesMs } from './retry.js';

/**
 * What happened; or that it is not known what happened, by the type `gap`: then look at the lists
 * anew. `cursor` is where `fleet.events({ after: cursor })` goes on.
 */
export type FleetEvent =
  | (Schemas['HostEvent'] & { cursor: string })
  | (Schemas['EventGap'] & { type: 'gap'; cursor: string });

export interface EventOptions {
  /** Only of these hosts, types and actions. */
  host?: string[];
  type?: Schemas['HostEvent']['type'][];
  action?: string[];
  /** The cursor of the last event that was read; without it they begin now. */
  after?: string;
  signal?: AbortSignal | undefined;
}

const soundMs = 10_000;

/** All hosts of a server. */
export class Fleet {
  constructor(private readonly client: Api) {}

  async hosts(signal?: AbortSignal): Promise<HostInfo[]> {
    return (await this.client.request('get', '/api/v1/hosts', { signal })).items;
  }

  /** Makes a host known; `client.host(name).test()` then goes the way to its engine. */
  addHost(host: NewHost): Promise<HostInfo> {
    return this.client.request('post', '/api/v1/hosts', { body: host });
  }

  /** A page of the containers of all hosts, and how old what is known of each host is. */
  containers(query: ContainerQuery = {}, signal?: AbortSignal): Promise<ContainerList> {
    return this.client.request('get', '/api/v1/containers', { query, signal });
  }

  /** All of them, however many pages that takes. */
  async *allContainers(
    query: Omit<ContainerQuery, 'cursor'> = {}, signal?: AbortSignal,
  ): AsyncGenerator<Container> {
    let cursor: string | null = null;
    do {
      const page = await this.containers(cursor === null ? query : { ...query, cursor }, signal);
      yield* page.items;
      cursor = page.next;
    } while (cursor !== null);
  }

  async projects(host?: string, signal?: AbortSignal): Promise<ProjectItem[]> {
    const query = host === undefined ? {} : { host };
    return (await this.client.request('get', '/api/v1/projects', { query, signal })).items;
  }

  /** Does the same to many containers; the results are in their order. One may fail by itself. */
  async act(action: BulkAction, containers: ContainerTarget[]): Promise<ContainerResult[]> {
    const body = { ...action, containers };
    return (await this.client.request('post', '/api/v1/containers/actions', { body })).results;
  }

  /**
   * What happens, as it happens, until the loop is left or the signal aborted. A stream that breaks
   * off is taken up again where it was, for 15 s while the server does not answer.
   */
  async *events(options: EventOptions = {}): AsyncGenerator<FleetEvent> {
    const { after, signal, ...query } = options;
    const position = { lastEventId: after };
    for (let failures = 0; ; ) {
      const began = Date.now();
      let broken: unknown = new ConnectionError('the events of the server break off', 'server',
        { code: 'stream_broken' });
      try {
        const stream = this.client.stream('GET', '/api/v1/events', { query, signal, position });
        for await (const { name, data } of stream) {
          // The stream says that it ends: it is taken up again all the same.
          if (name === 'end') continue;
          failures = 0;
          const cursor = position.lastEventId ?? '';
          if (name === 'gap') {
            yield { type: 'gap', ...(JSON.parse(data) as Schemas['EventGap']), cursor };
          }
          if (name === 'event') yield { ...(JSON.parse(data) as Schemas['HostEvent']), cursor };
        }
      } catch (error) {
        if (!isNotNow(error)) throw error;
        broken = error;
      }
      if (Date.now() - began > soundMs) failures = 0;
      const pauseMs = retryPausesMs[failures++];
      if (pauseMs === undefined) throw broken;
      const askedMs = broken instanceof BusyError ? broken.retryAfterMs : 0;
      await restFor(Math.max(pauseMs, askedMs), signal);
      signal?.throwIfAborted();
    }
  }
}

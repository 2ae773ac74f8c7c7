import type { Api } from './api.js';
import {
  ConnectionError, PermissionError, SandboxError, errorOf, type Problem,
} from './errors.js';
import type { ServerEvent } from './events.js';
import type {
  ContainerChanges, ContainerCreated, ContainerDetails, ContainerForm, ContainerProcesses,
  ContainerStats, ContainerUpdate, DiskUsage, ExecInContainer, ExecResult, HostChange, HostDoctor,
  HostImage, HostInfo, HostTest, ListOptions, Network, NewNetwork, NewVolume, Project,
  ProjectChange, Prune, PulledImage, PullProgress, RemovedImage, Schemas, Volume,
} from './models.js';

interface Follow {
  /** Goes on with what is still to come, until the signal is aborted or all has ended. */
  follow?: boolean;
  /** A time, or how long ago: `10m`, `2h`. */
  since?: string;
  /** As `since`; not with `follow`. */
  until?: string;
  signal?: AbortSignal | undefined;
}
export interface LogOptions extends Follow {
  /** So many lines of the past, or `all`. */
  tail?: number | 'all';
  timestamps?: boolean;
  stream?: 'both' | 'stdout' | 'stderr';
}
/** A piece of a container's log: whole lines, with their ends. */
export interface LogEntry {
  stream: 'stdout' | 'stderr';
  text: string;
}
export interface ProjectLogOptions extends Follow {
  /** So many of the last lines of all services together. */
  tail?: number;
  service?: string;
}
/** A line of a project's log, with its end. */
export interface ProjectLogEntry extends LogEntry {
  service: string;
  container: { id: string; name: string };
  /** RFC 3339, with nanoseconds. */
  time: string;
}
export interface StopOptions {
  /** How long each container may take before it is killed. */
  graceSeconds?: number;
}
export interface StartOptions {
  /** One-shot services that have done their work are started again, too. */
  oneShots?: boolean;
}

interface LogData {
  text?: string;
  base64?: string;
}

function textOf({ text, base64 }: LogData): string {
  return text ?? Buffer.from(base64 ?? '', 'base64').toString('utf8');
}

/** What a stream says instead of the next thing when it can not go on. */
function raise(data: string): never {
  throw errorOf(JSON.parse(data) as Problem);
}

/**
 * The events of a stream to its end. One that stops for another reason, or for none at all, is not
 * whole, and that is an error.
 */
async function* toTheEnd(
  what: string, events: AsyncGenerator<ServerEvent>,
): AsyncGenerator<ServerEvent> {
  for await (const event of events) {
    if (event.name === 'error') raise(event.data);
    if (event.name !== 'end') {
      yield event;
      continue;
    }
    const { reason } = JSON.parse(event.data) as { reason: string };
    if (reason === 'server_stopping') {
      throw new ConnectionError(`${what} goes no further: the server stops`, 'server',
        { code: reason, remedy: 'try again when it is back' });
    }
    if (reason === 'not_allowed') {
      throw new PermissionError(`${what} goes no further: you may not see it any more`, 'server',
        { code: reason });
    }
    return;
  }
  throw new ConnectionError(`${what} breaks off`, 'server', { code: 'stream_broken' });
}

function graceOf({ graceSeconds = 10 }: StopOptions): { grace_seconds: number } {
  return { grace_seconds: graceSeconds };
}

/** A container of a host, by its id or name. */
export class HostContainer {
  private readonly path: { id: string; part: string };

  constructor(private readonly client: Api, readonly host: string, readonly ref: string) {
    this.path = { id: host, part: ref };
  }

  inspect(signal?: AbortSignal): Promise<ContainerDetails> {
    return this.client.request('get', '/api/v1/hosts/{id}/containers/{part}',
      { path: this.path, signal });
  }

  async start(): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/start',
      { path: this.path });
  }

  async stop(options: StopOptions = {}): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/stop',
      { path: this.path, body: graceOf(options) });
  }

  async restart(options: StopOptions = {}): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/restart',
      { path: this.path, body: graceOf(options) });
  }

  async pause(): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/pause',
      { path: this.path });
  }

  async unpause(): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/unpause',
      { path: this.path });
  }

  /** Sends a signal to its first process: `SIGHUP`, `9`. */
  async kill(signal = 'SIGKILL'): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/kill',
      { path: this.path, body: { signal } });
  }

  async rename(name: string): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/rename',
      { path: this.path, body: { name } });
  }

  /** Other limits while it lives; answers with what the engine has to say to that. */
  async update(limits: ContainerUpdate): Promise<string[]> {
    const { warnings } = await this.client.request('post',
      '/api/v1/hosts/{id}/containers/{part}/update', { path: this.path, body: limits });
    return warnings;
  }

  /** One that runs is refused without `force`. `volumes`: its anonymous ones too. */
  async remove(options: { force?: boolean; volumes?: boolean } = {}): Promise<void> {
    await this.client.request('delete', '/api/v1/hosts/{id}/containers/{part}',
      { path: this.path, query: options });
  }

  top(signal?: AbortSignal): Promise<ContainerProcesses> {
    return this.client.request('get', '/api/v1/hosts/{id}/containers/{part}/top',
      { path: this.path, signal });
  }

  /** What of its files is not as in the image. */
  changes(signal?: AbortSignal): Promise<ContainerChanges> {
    return this.client.request('get', '/api/v1/hosts/{id}/containers/{part}/changes',
      { path: this.path, signal });
  }

  /** What it has written, byte for byte as text: never anything of the engine's framing. */
  log(options: Omit<LogOptions, 'follow'> = {}): Promise<string> {
    const { signal, ...query } = options;
    return this.client.text('GET', '/api/v1/hosts/{id}/containers/{part}/logs', this.path, query,
      signal);
  }

  /**
   * What it has written and, with `follow`, writes; ends when the container has stopped. When it
   * stops for the server or the right to see it, or breaks off, that is an error.
   */
  async *logs(options: LogOptions = {}): AsyncGenerator<LogEntry> {
    const { signal, ...query } = options;
    const events = this.client.stream('GET', '/api/v1/hosts/{id}/containers/{part}/logs',
      { path: this.path, query, signal });
    for await (const { name, data } of toTheEnd(`the log of '${this.ref}'`, events)) {
      if (name !== 'stdout' && name !== 'stderr') continue;
      yield { stream: name, text: textOf(JSON.parse(data) as LogData) };
    }
  }

  /** What it uses, about once a second until it stops; `break` out of the loop to end it. */
  async *stats(signal?: AbortSignal): AsyncGenerator<ContainerStats> {
    const events = this.client.stream('GET', '/api/v1/hosts/{id}/containers/{part}/stats',
      { path: this.path, signal });
    for await (const { name, data } of toTheEnd(`what '${this.ref}' uses`, events)) {
      if (name === 'stats') yield JSON.parse(data) as ContainerStats;
    }
  }

  /** Runs a command in it to its end: `exec(['ls', '-l'])`. */
  exec(
    command: string[], options: Omit<ExecInContainer, 'command'> = {}, signal?: AbortSignal,
  ): Promise<ExecResult> {
    return this.client.request('post', '/api/v1/hosts/{id}/containers/{part}/exec',
      { path: this.path, body: { ...options, command }, signal });
  }
}

/** A Compose project of a host. */
export class HostProject {
  private readonly path: { id: string; part: string };

  constructor(private readonly client: Api, readonly host: string, readonly name: string) {
    this.path = { id: host, part: name };
  }

  inspect(signal?: AbortSignal): Promise<Project> {
    return this.client.request('get', '/api/v1/hosts/{id}/projects/{part}',
      { path: this.path, signal });
  }

  /** What depends on nothing first; `ok` is false when a container failed. */
  start(options: StartOptions = {}): Promise<ProjectChange> {
    const body = { one_shots: options.oneShots ?? false };
    return this.client.request('post', '/api/v1/hosts/{id}/projects/{part}/start',
      { path: this.path, body });
  }

  stop(options: StopOptions = {}): Promise<ProjectChange> {
    const body = { grace_seconds: options.graceSeconds ?? 10 };
    return this.client.request('post', '/api/v1/hosts/{id}/projects/{part}/stop',
      { path: this.path, body });
  }

  restart(options: StartOptions & StopOptions = {}): Promise<ProjectChange> {
    const body = {
      one_shots: options.oneShots ?? false, grace_seconds: options.graceSeconds ?? 10,
    };
    return this.client.request('post', '/api/v1/hosts/{id}/projects/{part}/restart',
      { path: this.path, body });
  }

  /** The lines of all its services in the order of time; with `follow` it ends with its host. */
  async *logs(options: ProjectLogOptions = {}): AsyncGenerator<ProjectLogEntry> {
    const { signal, ...query } = options;
    const events = this.client.stream('GET', '/api/v1/hosts/{id}/projects/{part}/logs',
      { path: this.path, query, signal });
    for await (const { name, data } of toTheEnd(`the log of project '${this.name}'`, events)) {
      if (name !== 'stdout' && name !== 'stderr') continue;
      yield { stream: name, ...(JSON.parse(data) as Omit<ProjectLogEntry, 'stream'>) };
    }
  }
}

/** A host: a machine with a container engine that the server knows by this name. */
export class Host {
  constructor(private readonly client: Api, readonly name: string) {}

  container(ref: string): HostContainer {
    return new HostContainer(this.client, this.name, ref);
  }

  project(name: string): HostProject {
    return new HostProject(this.client, this.name, name);
  }

  /** How it stands: its state, its engine, how many containers it has. */
  info(signal?: AbortSignal): Promise<HostInfo> {
    return this.client.request('get', '/api/v1/hosts/{id}',
      { path: { id: this.name }, signal });
  }

  /** Changes what is named and leaves the rest. */
  change(wanted: HostChange): Promise<HostInfo> {
    return this.client.request('patch', '/api/v1/hosts/{id}',
      { path: { id: this.name }, body: wanted });
  }

  /** The server forgets it, with its secrets; nothing happens on the host. */
  async remove(): Promise<void> {
    await this.client.request('delete', '/api/v1/hosts/{id}', { path: { id: this.name } });
  }

  /** Goes the whole way to its engine, and says of each step how it went. */
  test(signal?: AbortSignal): Promise<HostTest> {
    return this.client.request('post', '/api/v1/hosts/{id}/test',
      { path: { id: this.name }, signal });
  }

  /** Why its engine can not be used, what helps, and what has changed since it was last asked. */
  doctor(signal?: AbortSignal): Promise<HostDoctor> {
    return this.client.request('get', '/api/v1/hosts/{id}/doctor',
      { path: { id: this.name }, signal });
  }

  /** Trusts the SSH host key with this fingerprint, `SHA256:…`, if the host shows it once more. */
  async trust(fingerprint: string): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/trust',
      { path: { id: this.name }, body: { fingerprint } });
  }

  /** Makes a container and starts it, unless `start` is false. Its image must be there. */
  create(form: ContainerForm): Promise<ContainerCreated> {
    return this.client.request('post', '/api/v1/hosts/{id}/containers',
      { path: { id: this.name }, body: form });
  }

  images(query: ListOptions = {}, signal?: AbortSignal): Promise<Schemas['HostImageList']> {
    return this.client.request('get', '/api/v1/hosts/{id}/images',
      { path: { id: this.name }, query, signal });
  }

  volumes(query: ListOptions = {}, signal?: AbortSignal): Promise<Schemas['HostVolumeList']> {
    return this.client.request('get', '/api/v1/hosts/{id}/volumes',
      { path: { id: this.name }, query, signal });
  }

  createVolume(volume: NewVolume): Promise<Volume> {
    return this.client.request('post', '/api/v1/hosts/{id}/volumes',
      { path: { id: this.name }, body: volume });
  }

  async removeVolume(name: string): Promise<void> {
    await this.client.request('delete', '/api/v1/hosts/{id}/volumes/{part}',
      { path: { id: this.name, part: name } });
  }

  /** As `pruneImages`. */
  pruneVolumes(body: Schemas['PruneVolumes']): Promise<Prune> {
    return this.client.request('post', '/api/v1/hosts/{id}/volumes/prune',
      { path: { id: this.name }, body });
  }

  networks(query: ListOptions = {}, signal?: AbortSignal): Promise<Schemas['HostNetworkList']> {
    return this.client.request('get', '/api/v1/hosts/{id}/networks',
      { path: { id: this.name }, query, signal });
  }

  createNetwork(network: NewNetwork): Promise<Network> {
    return this.client.request('post', '/api/v1/hosts/{id}/networks',
      { path: { id: this.name }, body: network });
  }

  async removeNetwork(name: string): Promise<void> {
    await this.client.request('delete', '/api/v1/hosts/{id}/networks/{part}',
      { path: { id: this.name, part: name } });
  }

  /** As `pruneImages`. */
  pruneNetworks(body: Schemas['PruneNetworks']): Promise<Prune> {
    return this.client.request('post', '/api/v1/hosts/{id}/networks/prune',
      { path: { id: this.name }, body });
  }

  /** An image, by its id: what is in it, how it was made, who uses it. */
  image(id: string, signal?: AbortSignal): Promise<HostImage> {
    return this.client.request('get', '/api/v1/hosts/{id}/images/{part}',
      { path: { id: this.name, part: id }, signal });
  }

  /** Pulls an image and tells of its progress. Aborting the signal ends the pull. */
  async pull(
    reference: string,
    options: { onProgress?: (progress: PullProgress) => void; signal?: AbortSignal } = {},
  ): Promise<PulledImage> {
    const events = this.client.stream('POST', '/api/v1/hosts/{id}/images/pull',
      { path: { id: this.name }, body: { reference }, signal: options.signal });
    for await (const { name, data } of events) {
      if (name === 'error') raise(data);
      if (name === 'progress') options.onProgress?.(JSON.parse(data) as PullProgress);
      if (name === 'done') return JSON.parse(data) as PulledImage;
    }
    throw new ConnectionError(`pulling '${reference}' broke off`, 'server',
      { code: 'stream_broken' });
  }

  async tag(id: string, reference: string): Promise<void> {
    await this.client.request('post', '/api/v1/hosts/{id}/images/{part}/tag',
      { path: { id: this.name, part: id }, body: { reference } });
  }

  /** Removes an image, or with `name` one of its names. Used: a RequestError that names by whom. */
  removeImage(
    id: string, options: { name?: string; force?: boolean } = {},
  ): Promise<RemovedImage> {
    return this.client.request('delete', '/api/v1/hosts/{id}/images/{part}',
      { path: { id: this.name, part: id }, query: options });
  }

  /** First `{ preview: true }`, then the same with the `ids` of what shall go. */
  pruneImages(body: Schemas['PruneImages']): Promise<Prune> {
    return this.client.request('post', '/api/v1/hosts/{id}/images/prune',
      { path: { id: this.name }, body });
  }

  diskUsage(signal?: AbortSignal): Promise<DiskUsage> {
    return this.client.request('get', '/api/v1/hosts/{id}/disk-usage',
      { path: { id: this.name }, signal });
  }
}

/** The error of a host whose engine does not answer. */
export function engineAway(host: string, why: Problem | undefined): Error {
  const detail = why?.detail ?? 'its engine does not answer';
  const known = errorOf(why ?? { code: 'engine_unreachable', detail });
  if (!(known instanceof SandboxError)) return known;
  return new ConnectionError(`cannot reach the engine of host '${host}': ${detail}`, 'engine',
    { code: known.code, remedy: why?.remedy });
}

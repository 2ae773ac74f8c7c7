import { setTimeout as pause } from 'node:timers/promises';

import { GantryClient } from './client.js';
import type { ConnectionOptions } from './connection.js';
import { ConnectionError, PermissionError, RequestError } from './errors.js';
import { engineAway } from './hosts.js';
import type { ContainerDetails } from './models.js';

/** Of which server and host; everything has a default. */
export interface DockerOptions extends ConnectionOptions {
  /** The host's name: `local` unless said. */
  host?: string;
}

/** Docker's own words. */
export type ContainerState =
  'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerStatus {
  name: string;
  /** The first 12 digits. */
  id: string;
  state: ContainerState;
  /** `none`: it has no check of its own. */
  health: 'healthy' | 'unhealthy' | 'starting' | 'none';
  /** `2h 15m`; empty unless it runs. */
  uptime: string;
  /** Those that are published. */
  ports: { internal: number; external: number }[];
  image: string;
}

const linesMax = 100_000;
const inspectedAtOnce = 8;
const connectingMax = 50;

const day = 86_400;
/** The two largest units: `1d 2h`, `2h 15m`, `3m 4s`, `5s`. */
export function uptimeText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / day), 'd'], [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'], [whole % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  return parts.slice(first, first + 2).map(([count, unit]) => `${count}${unit}`).join(' ');
}

function statusOf(details: ContainerDetails): ContainerStatus {
  const { state, health, ports } = details;
  const runs = state.running && state.started_at !== null;
  const seconds = runs ? (Date.now() - Date.parse(state.started_at ?? '')) / 1000 : 0;
  const published = new Map<string, { internal: number; external: number }>();
  for (const port of ports) {
    if (port.public === undefined) continue;
    const pair = { internal: port.private, external: port.public };
    published.set(`${pair.internal}:${pair.external}`, pair);
  }
  return {
    name: details.name,
    id: details.id.slice(0, 12),
    state: state.status as ContainerState,
    health: (health?.status ?? 'none') as ContainerStatus['health'],
    uptime: runs ? uptimeText(seconds) : '',
    ports: [...published.values()],
    image: details.image,
  };
}

function isMissing(error: unknown, code: string): boolean {
  return error instanceof RequestError && error.status === 404 && error.code === code;
}

function open(options: DockerOptions): { client: GantryClient; host: string } {
  return { client: new GantryClient(options), host: options.host ?? 'local' };
}

/** The host as the server sees it; throws when its engine does not answer. */
async function connected({ client, host }: ReturnType<typeof open>): Promise<{ version: string }> {
  const look = () => client.request('get', '/api/v1/hosts/{id}', { path: { id: host } });
  let seen = await look();
  // A server that has just begun does not know yet.
  for (let tries = 0; seen.state === 'connecting' && tries < connectingMax; ++tries) {
    await pause(100);
    seen = await look();
  }
  if (seen.state !== 'connected' || !seen.engine) {
    throw engineAway(host, seen.error);
  }
  return { version: seen.engine.version };
}

/** Whether the Docker engine can be used. */
export async function checkDockerAccess(options: DockerOptions = {}): Promise<boolean> {
  try {
    await connected(open(options));
    return true;
  } catch (error) {
    if (error instanceof ConnectionError) return false;
    if (error instanceof PermissionError && error.where === 'engine') return false;
    throw error;
  }
}

/** The engine's version, `24.0.7`. */
export async function getDockerVersion(options: DockerOptions = {}): Promise<string> {
  return (await connected(open(options))).version;
}

/** How a container is; null when there is none of this name. An engine that is away is an error. */
export async function getContainerStatus(
  containerName: string, options: DockerOptions = {},
): Promise<ContainerStatus | null> {
  const { client, host } = open(options);
  try {
    return statusOf(await client.host(host).container(containerName).inspect());
  } catch (error) {
    if (isMissing(error, 'no_such_container')) return null;
    throw error;
  }
}

/** The containers of a Compose project; none when there is no such project, and only then. */
export async function getComposeProjectContainers(
  projectName: string, options: DockerOptions = {},
): Promise<ContainerStatus[]> {
  const reached = open(options);
  const { client, host } = reached;
  await connected(reached);
  let refs: string[];
  try {
    const project = await client.host(host).project(projectName).inspect();
    refs = project.services.flatMap(({ containers }) => containers.map(({ id }) => id));
  } catch (error) {
    if (isMissing(error, 'no_such_project')) return [];
    throw error;
  }
  const found: (ContainerStatus | null)[] = [];
  for (let at = 0; at < refs.length; at += inspectedAtOnce) {
    const some = refs.slice(at, at + inspectedAtOnce);
    found.push(...await Promise.all(some.map((ref) => getContainerStatus(ref, options))));
  }
  return found.filter((status) => status !== null);
}

/** The last lines that a container wrote, both outputs together, and nothing but those. */
export async function getContainerLogs(
  containerName: string, lines = 50, options: DockerOptions = {},
): Promise<string> {
  if (!Number.isInteger(lines) || lines < 1 || lines > linesMax) {
    throw new RangeError(`lines must be a whole number from 1 to ${linesMax}`);
  }
  const { client, host } = open(options);
  return client.host(host).container(containerName).log({ tail: lines });
}

/** Whether the container was restarted: false when there is none of this name. */
export async function restartContainer(
  containerName: string, options: DockerOptions = {},
): Promise<boolean> {
  const { client, host } = open(options);
  try {
    await client.host(host).container(containerName).restart();
    return true;
  } catch (error) {
    if (isMissing(error, 'no_such_container')) return false;
    throw error;
  }
}

import type { CreateRequest } from '../api/containers';
import { labels_of, list_of } from '../hosts/hosts';

type Restart = NonNullable<CreateRequest['restart']>['policy'];

/** What the form of a new container holds: texts, as they were typed. */
export interface CreateDraft {
  name: string;
  image: string;
  command: string;
  env: string;
  labels: string;
  ports: string;
  volumes: string;
  network: string;
  restart: Restart;
  user: string;
  working_dir: string;
  memory: number | null;
  cpus: number | null;
  pids: number | null;
  privileged: boolean;
  host_pid: boolean;
  host_ipc: boolean;
  /** Whether this filter of the kernel is left out. */
  seccomp: boolean;
  apparmor: boolean;
  capabilities: string;
  devices: string;
  start: boolean;
}

export function empty_draft(): CreateDraft {
  return {
    name: '',
    image: '',
    command: '',
    env: '',
    labels: '',
    ports: '',
    volumes: '',
    network: '',
    restart: 'no',
    user: '',
    working_dir: '',
    memory: null,
    cpus: null,
    pids: null,
    privileged: false,
    host_pid: false,
    host_ipc: false,
    seccomp: false,
    apparmor: false,
    capabilities: '',
    devices: '',
    start: true,
  };
}

/** A line of the form that says nothing that can be sent. */
export class WrongLine extends Error {
  constructor(
    readonly field: 'ports' | 'volumes' | 'devices',
    readonly line: string,
  ) {
    super(line);
  }
}

const mib = 1_048_576;
const port_line = /^(?:(?:(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):)?(\d+):)?(\d+)(?:\/(tcp|udp))?$/;
// A name is a volume's, a path is one of the host.
const volume_line = /^([a-zA-Z0-9][a-zA-Z0-9_.-]*|\/[^:]*):(\/[^:]*?)(?::(ro|rw))?$/;
const device_line = /^(\/[^:]+)(?::(\/[^:]+))?(?::([rwm]{1,3}))?$/;

/** What is sent: only what was filled in. Throws WrongLine. */
export function create_request(draft: CreateDraft): CreateRequest {
  const limits = {
    ...(draft.memory === null ? {} : { memory_bytes: Math.round(draft.memory * mib) }),
    ...(draft.cpus === null ? {} : { cpus: draft.cpus }),
    ...(draft.pids === null ? {} : { pids: draft.pids }),
  };
  const texts = filled({
    name: draft.name,
    network: draft.network,
    user: draft.user,
    working_dir: draft.working_dir,
  });
  const command = lines(draft.command);
  const ports = lines(draft.ports).map(port_of);
  const mounts = lines(draft.volumes).map(volume_of);
  const env = labels_of(draft.env);
  const labels = labels_of(draft.labels);
  return {
    image: draft.image.trim(),
    ...texts,
    ...(command.length > 0 ? { command } : {}),
    ...(ports.length > 0 ? { ports } : {}),
    ...(mounts.length > 0 ? { mounts } : {}),
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(draft.restart === 'no' ? {} : { restart: { policy: draft.restart } }),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...reach_of(draft),
    start: draft.start,
  };
}

/** What reaches out of the container. */
function reach_of(draft: CreateDraft): Partial<CreateRequest> {
  const filters = (['seccomp', 'apparmor'] as const).filter((name) => draft[name]);
  const add = list_of(draft.capabilities);
  const devices = lines(draft.devices).map(device_of);
  return {
    ...(draft.privileged ? { privileged: true } : {}),
    ...(draft.host_pid ? { pid_namespace: 'host' } : {}),
    ...(draft.host_ipc ? { ipc_namespace: 'host' } : {}),
    ...(filters.length > 0 ? { unconfined: filters } : {}),
    ...(add.length > 0 ? { capabilities: { add } } : {}),
    ...(devices.length > 0 ? { devices } : {}),
  };
}

function port_of(line: string): NonNullable<CreateRequest['ports']>[number] {
  const found = port_line.exec(line);
  if (!found) throw new WrongLine('ports', line);
  const [, ip, host, container, protocol] = found;
  return {
    container_port: Number(container),
    ...(host === undefined ? {} : { host_port: Number(host) }),
    ...(ip === undefined ? {} : { host_ip: ip.replace(/[[\]]/g, '') }),
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
  };
}

function volume_of(line: string): NonNullable<CreateRequest['mounts']>[number] {
  const found = volume_line.exec(line);
  if (!found) throw new WrongLine('volumes', line);
  const source = found[1]!;
  return {
    type: source.startsWith('/') ? 'bind' : 'volume',
    source,
    target: found[2]!,
    read_only: found[3] === 'ro',
  };
}

function device_of(line: string): NonNullable<CreateRequest['devices']>[number] {
  const found = device_line.exec(line);
  if (!found) throw new WrongLine('devices', line);
  return {
    host_path: found[1]!,
    ...(found[2] === undefined ? {} : { container_path: found[2] }),
    permissions: found[3] ?? 'rwm',
  };
}

function lines(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter(Boolean);
}

function filled(texts: Record<string, string>): Record<string, string> {
  const trimmed = Object.entries(texts).map(([name, text]) => [name, text.trim()] as const);
  return Object.fromEntries(trimmed.filter(([, text]) => text !== ''));
}

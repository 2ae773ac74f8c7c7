import type { Problem } from '../api/client';
import type { CreateRequest } from '../api/containers';
import type { CreateDraft } from './create';

/** What lets a program reach out of its container; the server has an admin name each of them. */
export type Danger = NonNullable<CreateRequest['dangers']>[number];

const words: readonly Danger[] = [
  'privileged',
  'host_network',
  'host_pid',
  'host_ipc',
  'bind',
  'host_system',
  'docker_socket',
  'capabilities',
  'devices',
  'unconfined',
];

// The host lives by these and all below them.
const system_folders = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/snap',
  '/sys',
  '/usr',
  '/var/lib',
  '/var/run',
  '/var/spool',
];
// Engines listen here, or below.
const socket_places = [
  '/run/docker.sock',
  '/var/run/docker.sock',
  '/run/containerd',
  '/var/run/containerd',
  '/run/podman',
  '/var/run/podman',
  '/run/user',
];
// What every container has.
const usual_capabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
]);

/**
 * The dangers of what is asked for, so that the form can ask about them. The server decides: what
 * it finds besides, it asks for.
 */
export function dangers_of(wanted: CreateRequest): Danger[] {
  const binds = (wanted.mounts ?? [])
    .filter(({ type }) => type === 'bind')
    .map(({ source = '' }) => source);
  const added = wanted.capabilities?.add ?? [];
  const found: Record<Danger, boolean> = {
    privileged: wanted.privileged === true,
    host_network: wanted.network === 'host',
    host_pid: wanted.pid_namespace === 'host',
    host_ipc: wanted.ipc_namespace === 'host',
    bind: binds.length > 0,
    host_system: binds.some((path) => touches(path, system_folders)),
    docker_socket: binds.some((path) => path.endsWith('.sock') || touches(path, socket_places)),
    capabilities: added.some((name) => !usual_capabilities.has(bare(name))),
    devices: (wanted.devices ?? []).length > 0,
    unconfined: (wanted.unconfined ?? []).length > 0,
  };
  return words.filter((danger) => found[danger]);
}

/**
 * The dangers that a refusal asks to be named: only the server knows what is behind a volume. Its
 * remedy ends with their words.
 */
export function dangers_asked_for(refusal: Pick<Problem, 'code' | 'remedy'>): Danger[] {
  if (refusal.code !== 'danger_not_named') return [];
  const asked = new Set((refusal.remedy ?? '').split(/[^a-z_]+/));
  return words.filter((danger) => asked.has(danger));
}

/** All of a draft that its dangers come from: what was confirmed for another is not for this. */
export function reach_of(draft: CreateDraft): string {
  const { volumes, network, privileged, host_pid, host_ipc } = draft;
  const { seccomp, apparmor, capabilities, devices } = draft;
  return JSON.stringify([
    [volumes, network, capabilities, devices],
    [privileged, host_pid, host_ipc, seccomp, apparmor],
  ]);
}

function within(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/** Whether what is bound holds any of these places, or is in one. */
function touches(path: string, places: readonly string[]): boolean {
  return places.some((place) => within(path, place) || within(place, path));
}

function bare(capability: string): string {
  return capability.toUpperCase().replace(/^CAP_/, '');
}

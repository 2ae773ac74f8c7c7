import type { Host, HostRequest, HostSsh, HostTls, NewHost } from '../api/fleet';

export type Kind = 'unix' | 'tcp' | 'tls' | 'ssh';
export const kinds: readonly Kind[] = ['unix', 'tcp', 'tls', 'ssh'];

/** What an endpoint of each kind looks like. */
export const examples: Record<Kind, string> = {
  unix: 'unix:///var/run/docker.sock',
  tcp: 'tcp://127.0.0.1:2375',
  tls: 'tls://docker.example.org:2376',
  ssh: 'ssh://ann@docker.example.org',
};

/** The kind of an endpoint; `unix` for what has no scheme of a host. */
export function kind_of(endpoint: string): Kind {
  return kinds.find((kind) => endpoint.startsWith(`${kind}://`)) ?? 'unix';
}

const record_label = 'gantry.recording';

/** What the form of a host holds: texts, as they were typed. */
export interface Draft {
  name: string;
  kind: Kind;
  endpoint: string;
  groups: string;
  labels: string;
  note: string;
  /** Whether terminals on it are recorded, which a label says. */
  record: boolean;
  insecure: boolean;
  tls: Required<HostTls>;
  jump: string;
  agent: boolean;
  config: boolean;
  identity_file: string;
  secrets: { identity: string; passphrase: string; password: string; certificate: string };
}

/** A form for a new host, or for `host` as it is; secrets are never told and begin empty. */
export function draft_of(host?: Host): Draft {
  const endpoint = host?.endpoint ?? '';
  return {
    name: host?.name ?? '',
    kind: host ? kind_of(endpoint) : 'ssh',
    endpoint,
    groups: (host?.groups ?? []).join(', '),
    labels: lines_of(without_record(host?.labels ?? {})),
    record: host?.labels[record_label] === 'on',
    note: host?.note ?? '',
    insecure: false,
    tls: { ca: '', certificate: '', key: '' },
    jump: (host?.ssh?.jump ?? []).join('\n'),
    agent: host?.ssh?.use_agent ?? false,
    config: host?.ssh?.config ?? false,
    identity_file: host?.ssh?.identity_file ?? '',
    secrets: { identity: '', passphrase: '', password: '', certificate: '' },
  };
}

/** What is sent: of the secrets and the ways only those of the kind that were filled in. */
export function request_of(draft: Draft): NewHost {
  const { kind } = draft;
  const tls = filled(draft.tls);
  const ssh: HostSsh = {
    ...filled({ ...draft.secrets, identity_file: draft.identity_file.trim() }),
    jump: list_of(draft.jump),
    use_agent: draft.agent,
    config: draft.config,
  };
  return {
    name: draft.name.trim(),
    endpoint: draft.endpoint.trim(),
    groups: list_of(draft.groups),
    labels: {
      ...without_record(labels_of(draft.labels)),
      ...(draft.record ? { [record_label]: 'on' } : {}),
    },
    note: draft.note.trim(),
    ...(kind === 'tcp' && draft.insecure ? { insecure_tcp: true } : {}),
    ...(kind === 'tls' && Object.keys(tls).length > 0 ? { tls } : {}),
    ...(kind === 'ssh' ? { ssh } : {}),
  };
}

/** What of a form is not as `host` has it, so that nothing else is touched. */
export function changes_of(draft: Draft, host: Host): HostRequest {
  const before: Record<string, unknown> = { ...request_of(draft_of(host)) };
  const after = Object.entries(request_of(draft));
  return Object.fromEntries(
    after.filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  );
}

/** Whether an endpoint of TCP leaves this machine, where it needs to be asked for by name. */
export function leaves_the_machine(endpoint: string): boolean {
  const host = /^tcp:\/\/(\[[^\]]*\]|[^:/]*)/.exec(endpoint.trim())?.[1] ?? '';
  return host !== '' && host !== 'localhost' && host !== '[::1]' && !/^127(\.\d+){3}$/.test(host);
}

/** Words that commas or line ends part. */
export function list_of(text: string): string[] {
  return text.split(/[,\n]/).map((word) => word.trim()).filter(Boolean);
}

/** `name=value`, one per line. */
export function labels_of(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(pairs.map((line) => pair(line)));
}

export function lines_of(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`).join('\n');
}

function without_record(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== record_label));
}

function pair(line: string): [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

function filled<T extends Record<string, string>>(texts: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(texts).filter(([, text]) => text.trim() !== ''),
  ) as Partial<T>;
}

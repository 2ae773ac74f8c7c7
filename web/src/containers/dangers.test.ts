import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CreateRequest } from '../api/containers';
import { empty_draft } from './create';
import { dangers_asked_for, dangers_of, reach_of } from './dangers';

const of = (wanted: Partial<CreateRequest>): string[] => dangers_of({ image: 'x', ...wanted });
const bind = (source: string): string[] =>
  of({ mounts: [{ type: 'bind', source, target: '/there', read_only: true }] });

test('what stays in the container is no danger', () => {
  expect(of({ network: 'bridge', capabilities: { add: ['cap_chown'] } })).toEqual([]);
  const volume = { type: 'volume', source: 'data', target: '/d', read_only: false } as const;
  expect(of({ mounts: [volume] })).toEqual([]);
});

test('each thing that reaches out has its danger', () => {
  expect(of({ privileged: true })).toEqual(['privileged']);
  expect(of({ network: 'host' })).toEqual(['host_network']);
  expect(of({ pid_namespace: 'host', ipc_namespace: 'host' })).toEqual(['host_pid', 'host_ipc']);
  expect(of({ capabilities: { add: ['CAP_SYS_ADMIN'] } })).toEqual(['capabilities']);
  expect(of({ devices: [{ host_path: '/dev/kvm', permissions: 'rwm' }] })).toEqual(['devices']);
  expect(of({ unconfined: ['seccomp'] })).toEqual(['unconfined']);
});

test('how bad a folder of the host is depends on what it holds', () => {
  expect(bind('/srv/data')).toEqual(['bind']);
  expect(bind('/etc/ssl')).toEqual(['bind', 'host_system']);
  expect(bind('/etcetera')).toEqual(['bind']);
  expect(bind('/')).toEqual(['bind', 'host_system', 'docker_socket']);
  expect(bind('/run/docker.sock')).toEqual(['bind', 'host_system', 'docker_socket']);
  expect(bind('/srv/engine.sock')).toEqual(['bind', 'docker_socket']);
});

test('what the server asks to be named is offered', () => {
  const source = new URL('../../../src/fleet/creation.cpp', import.meta.url);
  const sentence = /"(leave that out, or name in [^{]*)\{\}"/.exec(readFileSync(source, 'utf8'));
  const asking = (code: string, dangers: string): string[] =>
    dangers_asked_for({ code, remedy: `${sentence![1]}${dangers}` });
  expect(asking('danger_not_named', 'host_system, bind')).toEqual(['bind', 'host_system']);
  expect(asking('danger_not_named', '')).toEqual([]);
  expect(asking('danger_not_named', 'host_systems')).toEqual([]);
  expect(asking('danger_absent', 'bind')).toEqual([]);
});

test('what is confirmed is so for what was shown with it', () => {
  const draft = empty_draft();
  const before = reach_of(draft);
  expect(reach_of({ ...draft, name: 'web', image: 'x', env: 'A=1', memory: 64 })).toBe(before);
  const reaching = [
    { volumes: 'data:/data' },
    { network: 'host' },
    { capabilities: 'NET_ADMIN' },
    { devices: '/dev/kvm' },
    { privileged: true },
    { host_pid: true },
    { host_ipc: true },
    { seccomp: true },
    { apparmor: true },
  ];
  const all = reaching.map((one) => reach_of({ ...draft, ...one }));
  expect(new Set([before, ...all]).size).toBe(reaching.length + 1);
});

test('the lists are those by which the server judges', () => {
  const here = readFileSync(new URL('dangers.ts', import.meta.url), 'utf8');
  const there = readFileSync(
    new URL('../../../src/fleet/creation.cpp', import.meta.url),
    'utf8',
  );
  for (const name of ['system_folders', 'socket_places', 'usual_capabilities']) {
    const ours = new RegExp(`${name} = [^\\[]*\\[([^\\]]*)\\]`).exec(here)?.[1] ?? '';
    const theirs = new RegExp(`${name}\\{([^}]*)\\}`).exec(there)?.[1] ?? '';
    const words = (text: string, quoted: RegExp): string[] =>
      [...text.matchAll(quoted)].map((match) => match[1]!).sort();
    expect(words(ours, /'([^']+)'/g).length).toBeGreaterThan(5);
    expect(words(ours, /'([^']+)'/g)).toEqual(words(theirs, /"([^"]+)"/g));
  }
});

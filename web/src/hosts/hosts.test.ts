import { expect, test } from 'vitest';
import type { Host } from '../api/fleet';
import { changes_of, draft_of, kind_of, labels_of, leaves_the_machine, request_of } from './hosts';

test('the kind of an endpoint is its scheme', () => {
  expect(['ssh://a@b', 'tls://c:2376', 'tcp://d:1', '/run/x.sock'].map(kind_of)).toEqual([
    'ssh',
    'tls',
    'tcp',
    'unix',
  ]);
});

test('secrets that were not filled in are not sent, so that those of before stay', () => {
  const draft = { ...draft_of(), name: 'edge', endpoint: 'ssh://ann@edge' };
  expect(request_of(draft).ssh).toEqual({ jump: [], use_agent: false, config: false });
});

test('of a host that is changed only what differs is sent', () => {
  const host = {
    name: 'edge',
    endpoint: 'ssh://ann@edge',
    groups: ['a'],
    labels: {},
    note: '',
    ssh: { jump: ['gate'], use_agent: false, config: false, identity_file: '' },
  } as unknown as Host;
  const draft = draft_of(host);
  expect(changes_of(draft, host)).toEqual({});
  expect(changes_of({ ...draft, note: 'busy', jump: '' }, host)).toEqual({
    note: 'busy',
    ssh: { jump: [], use_agent: false, config: false },
  });
});

test('of the secrets only those of the kind of the host are sent', () => {
  const draft = draft_of();
  draft.kind = 'ssh';
  draft.secrets.password = 'wonderland';
  draft.tls.key = 'PEM';
  draft.jump = 'ann@first, second:2222';
  expect(request_of(draft)).toMatchObject({
    ssh: { password: 'wonderland', jump: ['ann@first', 'second:2222'] },
  });
  expect(request_of(draft)).not.toHaveProperty('tls');
});

test('unencrypted TCP is asked about only where it leaves the machine', () => {
  const loopback = ['tcp://127.0.0.1:2375', 'tcp://localhost:1', 'tcp://[::1]:2375'];
  expect(loopback.some(leaves_the_machine)).toBe(false);
  expect(leaves_the_machine('tcp://10.0.0.5:2375')).toBe(true);
  expect(leaves_the_machine('tcp://127.example.org:2375')).toBe(true);
});

test('whether terminals are recorded is a label of its own', () => {
  const host = { endpoint: '', groups: [], labels: { a: '1', 'gantry.recording': 'on' } };
  const draft = draft_of(host as unknown as Host);
  expect([draft.labels, draft.record]).toEqual(['a=1', true]);
  expect(request_of({ ...draft, record: false }).labels).toEqual({ a: '1' });
  expect(request_of(draft).labels).toEqual(host.labels);
});

test('labels are one per line, and a value may hold an equals sign', () => {
  expect(labels_of('a=1\n b = x=y \n\nalone')).toEqual({ a: '1', b: 'x=y', alone: '' });
});

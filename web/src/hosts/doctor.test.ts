import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en_doctor } from '../base/en_doctor';
import type { Host } from '../api/fleet';
import {
  sorted,
  title_of,
  way_to,
  type Check,
  type CheckState,
  type Report,
} from './doctor';

function report(states: Record<string, CheckState>, cause: string | null = null): Report {
  const checks = Object.entries(states).map(
    ([id, state]): Check => ({ id, title: id, state, summary: '', explanation: '', remedy: [] }),
  );
  const state = cause ? 'failed' : 'ok';
  return { state, cause, checks } as unknown as Report;
}

test('the cause comes first, and apart is what was not seen, and what does not apply', () => {
  const { shown, unseen, skipped } = sorted(
    report(
      { endpoint: 'ok', tls: 'skipped', socket: 'failed', access: 'unseen', engine: 'failed' },
      'socket',
    ),
  );
  expect(shown.map(({ id }) => id)).toEqual(['socket', 'endpoint', 'engine']);
  expect(unseen.map(({ id }) => id)).toEqual(['access']);
  expect(skipped.map(({ id }) => id)).toEqual(['tls']);
});

test('a check that the console does not know yet has the title of the server', () => {
  expect(title_of({ id: 'socket', title: 'socket' })).toBe('Socket');
  expect(title_of({ id: 'weather', title: 'the weather' })).toBe('the weather');
});

test('another endpoint is another way, and so is a host that is not used', () => {
  const host = { endpoint: 'ssh://a', enabled: true, ssh: { jump: ['b'] } } as unknown as Host;
  expect(way_to({ ...host, state: 'unreachable', note: 'new' })).toBe(way_to(host));
  expect(way_to({ ...host, endpoint: 'ssh://c' })).not.toBe(way_to(host));
  expect(way_to({ ...host, enabled: false })).not.toBe(way_to(host));
  expect(way_to({ ...host, ssh: { jump: ['d'] } } as unknown as Host)).not.toBe(way_to(host));
});

test('every check of the doctor has a title', () => {
  const table = readFileSync(new URL('../../../src/doctor/checks.cpp', import.meta.url), 'utf8');
  const ids = [...table.matchAll(/\bCheck\{\s*"([a-z_]+)"/g)].map((match) => match[1]!);
  expect(ids.length).toBeGreaterThan(20);
  expect(ids.filter((id) => !(`doctor.check_${id}` in en_doctor))).toEqual([]);
});

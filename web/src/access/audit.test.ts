import { expect, test } from 'vitest';
import type { AuditRecord } from '../api/client';
import { action_text, detail_lines, filter_records, target_text } from './audit';

function entry(given: Partial<AuditRecord>): AuditRecord {
  return {
    sequence: 1,
    at: '2026-11-22T00:00:00Z',
    actor: 'ada',
    action: 'session.create',
    target: '',
    outcome: 'ok',
    details: null,
    previous_hash: '',
    hash: 'f'.repeat(64),
    ...given,
  };
}

const sequences = (records: readonly AuditRecord[]): number[] => records.map((r) => r.sequence);

test('an action is found by its words, by its name and by its details', () => {
  const records = [
    entry({ sequence: 1, details: { address: '127.0.0.1' } }),
    entry({ sequence: 2, action: 'user.create', actor: 'bob' }),
  ];
  expect(sequences(filter_records(records, 'all', 'user.create BOB'))).toEqual([2]);
  expect(sequences(filter_records(records, 'all', 'sign-in'))).toEqual([1]);
  expect(sequences(filter_records(records, 'all', '127.0'))).toEqual([1]);
});

test('what was begun is neither done nor refused; every other outcome but ok is a refusal', () => {
  const records = [
    entry({ sequence: 1 }),
    entry({ sequence: 2, outcome: 'bad_credentials' }),
    entry({ sequence: 3, outcome: 'begun' }),
  ];
  expect(sequences(filter_records(records, 'refused', ''))).toEqual([2]);
  expect(sequences(filter_records(records, 'done', ''))).toEqual([1]);
});

test('an action without words keeps its own name', () => {
  expect(action_text('moon.land')).toBe('moon.land');
});

test('what has a name is told by it', () => {
  expect(target_text(entry({ target: '01j9', details: { name: 'bob' } }))).toBe('bob');
  expect(target_text(entry({ target: '01j9' }))).toBe('01j9');
  expect(target_text(entry({ target: `web1/${'f'.repeat(64)}` }))).toBe('web1/ffffffffffff');
});

test('details become lines, text as it is and the rest as JSON', () => {
  expect(detail_lines({ name: 'ci', scopes: ['system'] })).toEqual([
    ['name', 'ci'],
    ['scopes', '["system"]'],
  ]);
  expect(detail_lines(null)).toEqual([]);
});

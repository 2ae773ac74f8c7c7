import { expect, test } from 'vitest';
import type { ExecutionItem } from '../api/client';
import { filter_executions, updated, waited_ms } from './list';

function item(given: Partial<ExecutionItem>): ExecutionItem {
  return {
    id: 'a',
    state: 'finished',
    language: 'python',
    image: 'python:3.11-alpine',
    verdict: 'ok',
    created_at: '2026-11-22T00:00:00.000Z',
    started_at: null,
    batch: null,
    ...given,
  } as ExecutionItem;
}

const ids = (items: readonly ExecutionItem[]): string[] => items.map(({ id }) => id);

test('the filter tells what runs, what went well and what did not', () => {
  const items = [
    item({ id: 'well' }),
    item({ id: 'badly', verdict: 'timed_out' }),
    item({ id: 'runs', state: 'running', verdict: null }),
  ];
  expect(ids(filter_executions(items, 'ok', ''))).toEqual(['well']);
  expect(ids(filter_executions(items, 'not_ok', ''))).toEqual(['badly']);
  expect(ids(filter_executions(items, 'unfinished', ''))).toEqual(['runs']);
  expect(ids(filter_executions(items, 'all', 'TIMED python'))).toEqual(['badly']);
});

test('a listed execution gets its new state in its place, a new one comes first', () => {
  const list = [item({ id: 'b', state: 'running' }), item({ id: 'a' })];
  const news = [
    item({ id: 'c', created_at: '2026-11-22T00:00:01.000Z' }),
    item({ id: 'b', state: 'finished' }),
  ];
  const now = updated(list, news, '');
  expect(now.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'c finished',
    'b finished',
    'a finished',
  ]);
});

test('what is older than the list is not taken for new', () => {
  const old = item({ id: 'old', created_at: '2026-11-21T00:00:00.000Z' });
  expect(ids(updated([item({ id: 'a' })], [old], ''))).toEqual(['a']);
});

test('of one batch only what belongs to it is new', () => {
  const other = item({ id: 'x', batch: 'other', created_at: '2026-11-23T00:00:00.000Z' });
  expect(ids(updated([item({ id: 'a' })], [other], 'mine'))).toEqual(['a']);
});

test('the wait lasts from its creation to its start', () => {
  expect(waited_ms(item({ started_at: '2026-11-22T00:00:01.500Z' }))).toBe(1500);
  expect(waited_ms(item({}))).toBeNull();
});

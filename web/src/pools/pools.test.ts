import { expect, test } from 'vitest';
import type { Pool } from '../api/client';
import { by_arrivals, health, summary } from './pools';

function pool(given: Partial<Pool>): Pool {
  return {
    executor: 'docker',
    image: 'gantry/python:latest',
    image_id: null,
    interpreter: 'python',
    policy_class: 'python',
    ready: 1,
    making: 0,
    target: 1,
    in_use: 0,
    arrivals: 0,
    hits: 0,
    misses: 0,
    hit_ratio: null,
    failures: 0,
    oldest_ms: 0,
    memory_bytes: 0,
    last_error: null,
    ...given,
  };
}

test('the ratio of all is that of their programs, not of their ratios', () => {
  const all = [pool({ hits: 90, misses: 10 }), pool({ hits: 0, misses: 100 })];
  expect(summary(all).ratio).toBe(0.45);
});

test('without programs there is no ratio', () => {
  expect(summary([pool({})]).ratio).toBeNull();
});

test('what is asked for most comes first', () => {
  const all = [pool({ policy_class: 'a', arrivals: 1 }), pool({ policy_class: 'b', arrivals: 9 })];
  expect(by_arrivals(all).map((p) => p.policy_class)).toEqual(['b', 'a']);
});

test('an error is told of only while something is missing', () => {
  const last_error = { code: 'image_gone', detail: 'it is gone' };
  expect(health(pool({ last_error }))).toBe('ok');
  expect(health(pool({ last_error, ready: 0 }))).toBe('failing');
  expect(health(pool({ ready: 0 }))).toBe('filling');
  expect(health(pool({ ready: 0, target: 0 }))).toBe('idle');
});

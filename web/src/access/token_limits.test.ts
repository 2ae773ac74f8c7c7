import { expect, test } from 'vitest';
import type { System, TokenItem } from '../api/client';
import { limit_texts, limits_request, no_typed_limits, out_of_bounds } from './token_limits';

test('what is not typed is not sent', () => {
  expect(limits_request(no_typed_limits())).toEqual({});
});

test('limits are sent as maxima in the units of the API', () => {
  const typed = { ...no_typed_limits(), offline: true, executions_max: 2 };
  typed.max.wall_time_ms = 5;
  expect(limits_request(typed)).toEqual({
    limits: { wall_time_ms: { max: 5000 }, network: { allowed: ['none'] } },
    executions_max: 2,
  });
});

test('a number beyond what its maker may have is found', () => {
  const typed = no_typed_limits();
  typed.max.pids = 100;
  typed.max.cpus = 1;
  const bounds = { pids: { min: 4, max: 64 }, cpus: { min: 0.1, max: 2 } };
  expect(out_of_bounds(typed, bounds as unknown as System['limits'])).toEqual(['pids']);
});

test('the limits of a token are told with their units', () => {
  const item = {
    limits: { wall_time_ms: { max: 5000 }, memory_bytes: { max: 67_108_864 } },
    executions_max: 2,
    queue_max: null,
  } as TokenItem;
  expect(limit_texts(item)).toEqual(['Wall time ≤ 5 s', 'Memory ≤ 64 MiB', '2 at once']);
});

test('a token without limits of its own has nothing to tell', () => {
  const item = { limits: null, executions_max: null, queue_max: null } as TokenItem;
  expect(limit_texts(item)).toEqual([]);
});

import { expect, test } from 'vitest';
import { artifact_path, host_of, with_query } from './client';

test('parameters without a value are left out', () => {
  expect(with_query('/a', { limit: 5, cursor: undefined, batch: '' })).toBe('/a?limit=5');
  expect(with_query('/a', {})).toBe('/a');
});

test('what is special in an address is written out', () => {
  expect(with_query('/a', { actor: 'a&b=c d' })).toBe('/a?actor=a%26b%3Dc%20d');
  expect(artifact_path('x/../y', 2)).toBe('/api/v1/executions/x%2F..%2Fy/artifacts/2');
});

test('a path of the API tells which host it is about', () => {
  expect(host_of('/api/v1/hosts/edge%201/containers/abc/top?x=1')).toBe('edge 1');
  expect(host_of('/api/v1/projects/nas/shop')).toBe('nas');
  expect([host_of('/api/v1/hosts'), host_of('/api/v1/system')]).toEqual([undefined, undefined]);
});

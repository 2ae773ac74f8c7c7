import { expect, test } from 'vitest';
import { artifact_path, with_query } from './client';

test('parameters without a value are left out', () => {
  expect(with_query('/a', { limit: 5, cursor: undefined, batch: '' })).toBe('/a?limit=5');
  expect(with_query('/a', {})).toBe('/a');
});

test('what is special in an address is written out', () => {
  expect(with_query('/a', { actor: 'a&b=c d' })).toBe('/a?actor=a%26b%3Dc%20d');
  expect(artifact_path('x/../y', 2)).toBe('/api/v1/executions/x%2F..%2Fy/artifacts/2');
});

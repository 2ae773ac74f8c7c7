import { expect, test } from 'vitest';
import { with_progress, type Layer } from './pull';

test('a layer is told once, as it is now', () => {
  let layers: readonly Layer[] = [];
  const lines = [
    ['', 'Pulling from library/nginx', 0, 0],
    ['a1', 'Downloading', 10, 100],
    ['b2', 'Waiting', 0, 0],
    ['a1', 'Pull complete', 0, 0],
  ] as const;
  for (const [layer, status, current_bytes, total_bytes] of lines) {
    layers = with_progress(layers, { layer, status, current_bytes, total_bytes });
  }
  expect(layers).toEqual([
    { id: 'a1', status: 'Pull complete', current: 10, total: 100 },
    { id: 'b2', status: 'Waiting', current: 0, total: 0 },
  ]);
});

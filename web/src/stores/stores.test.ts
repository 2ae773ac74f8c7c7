import { expect, test } from 'vitest';
import { bare_id, filtered, users_shown } from './stores';

const containers = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ id: name, name, state: 'running' }));

test('only the first users are named, the others counted', () => {
  expect(users_shown({ containers, others: 4 })).toEqual(['a, b, c', 6]);
  expect(users_shown({ containers: containers.slice(0, 1), others: 0 })).toEqual(['a', 0]);
});

test('every word has to occur, whatever its case', () => {
  const words = (item: { name: string; driver: string }): string => `${item.name} ${item.driver}`;
  const items = [
    { name: 'data', driver: 'local' },
    { name: 'data', driver: 'nfs' },
  ];
  expect(filtered(items, 'DATA nf', words)).toEqual([items[1]]);
});

test('an id goes into a path without its algorithm', () => {
  expect(bare_id('sha256:f00d')).toBe('f00d');
});

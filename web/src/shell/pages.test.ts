import { expect, test } from 'vitest';
import { find_place, places } from './pages';

test('an address may have one part behind the path of its page', () => {
  const found = find_place('/executions/01j9z3k8');
  expect([found?.place.path, found?.rest]).toEqual(['/executions', '01j9z3k8']);
});

test('what belongs to no page is not found', () => {
  expect(find_place('/nowhere')).toBeUndefined();
  expect(find_place('/executions/a/b')).toBeUndefined();
});

test('no two pages have the same path', () => {
  expect(new Set(places.map(({ path }) => path)).size).toBe(places.length);
});

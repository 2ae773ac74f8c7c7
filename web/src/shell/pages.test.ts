import { expect, test } from 'vitest';
import { find_place, parts_of, places } from './pages';

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

test('a container is found by its host and its id', () => {
  const found = find_place('/containers/edge-1/f00d');
  expect([found?.place.path, found?.rest]).toEqual(['/containers', 'edge-1/f00d']);
});

test('the parts of an address are decoded, and broken ones are left as they are', () => {
  expect(parts_of('local/a%2Fb')).toEqual(['local', 'a/b']);
  expect(parts_of('local/%E0%A4%A')).toEqual(['local', '%E0%A4%A']);
});

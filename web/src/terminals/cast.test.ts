import { expect, test } from 'vitest';
import { first_after, read_cast, resized_to } from './cast';

const text = [
  '{"version": 2, "width": 100, "height": 30, "title": "<b>"}',
  '[0.5, "o", "$ "]',
  '[1.5, "i", "ls"]',
  '[2.0, "r", "120x40"]',
  'broken',
  '[3.25, "o", "bye"]',
  '',
].join('\n');

test('what was written and how large it was is read, and nothing else', () => {
  const cast = read_cast(text);
  expect(cast.size).toEqual({ columns: 100, rows: 30 });
  expect(cast.events.map(({ at, kind }) => [at, kind])).toEqual([
    [0.5, 'output'],
    [2, 'resize'],
    [3.25, 'output'],
  ]);
  expect(cast.length).toBe(3.25);
});

test('what is no recording is refused', () => {
  expect(() => read_cast('{"version": 1}')).toThrow(/asciicast/);
  expect(() => read_cast('')).toThrow(/asciicast/);
});

test('a size out of all reason is cut', () => {
  expect(resized_to('99999x-3')).toEqual({ columns: 1000, rows: 24 });
});

test('a moment is found among the events', () => {
  const cast = read_cast(text);
  expect([0, 0.5, 2.5, 9].map((at) => first_after(cast, at))).toEqual([0, 1, 2, 3]);
});

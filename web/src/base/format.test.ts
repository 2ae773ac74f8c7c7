import { expect, test } from 'vitest';
import { ago, duration, short_id, signal_name, size } from './format';

test('a duration keeps the digits that matter at its size', () => {
  expect(duration(0.4234)).toBe('0.42 ms');
  expect(duration(42.318)).toBe('42 ms');
  expect(duration(1240)).toBe('1.24 s');
  expect(duration(125_000)).toBe('2 min 5 s');
});

test('a size is told in binary units', () => {
  expect(size(0)).toBe('0 B');
  expect(size(512)).toBe('512 B');
  expect(size(8_493_466)).toBe('8.1 MiB');
  expect(size(268_435_456)).toBe('256 MiB');
});

test('an age is told in the largest whole unit', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  expect(ago('2026-11-22T09:54:30Z', now, 'en')).toBe('5 min. ago');
  expect(ago('2026-11-20T09:00:00Z', now, 'en')).toBe('2 days ago');
  expect(ago('2026-11-22T09:54:30Z', now, 'zh')).toBe('5分钟前');
});

test('a moment that the server clock puts in the future is now', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  expect(ago('2026-11-22T10:00:03Z', now, 'en')).toBe('now');
});

test('signals are named, and numbered when they have no name', () => {
  expect(signal_name(9)).toBe('SIGKILL');
  expect(signal_name(35)).toBe('signal 35');
});

test('a short id has twelve digits', () => {
  expect(short_id('a'.repeat(64))).toBe('a'.repeat(12));
});

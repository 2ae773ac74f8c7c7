import { expect, test } from 'vitest';
import { bounds_text, in_unit } from './bounds';

const mib = 1024 * 1024;

test('a value is told in its unit, without digits that nobody asked for', () => {
  expect(in_unit(1.5 * mib, mib)).toBe('1.5');
  expect(in_unit(1000, 3)).toBe('333.333');
});

test('both bounds are told', () => {
  expect(bounds_text({ min: 16 * mib, max: 4096 * mib, default: 0 }, mib)).toBe('16 to 4096');
});

test('a least value of one byte is not told in MiB', () => {
  expect(bounds_text({ min: 1, max: 1024 * mib, default: 0 }, mib)).toBe('at most 1024');
});

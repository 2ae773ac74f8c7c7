import { expect, test } from 'vitest';
import { en } from './en';
import { fill } from './i18n.svelte';
import { zh } from './zh';

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();
const keys = Object.keys(en) as (keyof typeof en)[];

test.each(keys)('%s has the same values to fill in, in both languages', (key) => {
  expect(holes(zh[key])).toEqual(holes(en[key]));
});

test.each(keys)('%s is not empty', (key) => {
  expect(en[key].trim()).not.toBe('');
  expect(zh[key].trim()).not.toBe('');
});

test('both languages have the same keys', () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
});

test('values are filled in as they are', () => {
  expect(fill('{a} of {b}', { a: 1, b: '<b>' })).toBe('1 of <b>');
});

import { expect, test } from 'vitest';
import { OutputCleaner } from './ansi';

function cleaned(...pieces: string[]): string {
  const cleaner = new OutputCleaner();
  return pieces.map((piece) => cleaner.push(piece)).join('') + cleaner.finish();
}

test('colours are removed', () => {
  expect(cleaned('\x1b[1;31mred\x1b[0m plain')).toBe('red plain');
});

test('a sequence cut between two pieces is removed all the same', () => {
  expect(cleaned('a\x1b', '[3', '1mb')).toBe('ab');
});

test('a window title is removed, whichever way it ends', () => {
  expect(cleaned('\x1b]0;title\x07x')).toBe('x');
  expect(cleaned('\x1b]0;ti', 'tle\x1b', '\\x')).toBe('x');
});

test('a link keeps its text and loses its address', () => {
  expect(cleaned('\x1b]8;;http://bad.example\x1b\\here\x1b]8;;\x1b\\')).toBe('here');
});

test('a sequence that never ends is shown instead of being kept forever', () => {
  const cleaner = new OutputCleaner();
  expect(cleaner.push('\x1b]0;' + 'x'.repeat(5000))).toContain('xxx');
});

test('an escape at the very end is shown as a picture', () => {
  expect(cleaned('end\x1b')).toBe('end\u241b');
});

test('line ends of other systems become our own', () => {
  expect(cleaned('a\r', '\nb\rc\n')).toBe('a\nb\nc\n');
});

test('control characters are shown, tab and newline kept', () => {
  expect(cleaned('\x00\x07\t\n\x7f')).toBe('\u2400\u2407\t\n\u2421');
});

test('characters that turn text around are written out', () => {
  expect(cleaned('a\u202eb')).toBe('a<U+202E>b');
});

test('ordinary text in any script is left alone', () => {
  expect(cleaned('héllo 世界 \u{1f680}')).toBe('héllo 世界 \u{1f680}');
});

import { expect, test } from 'vitest';
import { OutputCleaner, Painter } from './ansi';

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

const painted = (...pieces: string[]): string[] => {
  const painter = new Painter();
  const all = [...pieces.flatMap((piece) => painter.push(piece)), ...painter.finish()];
  return all.map(({ text, look }) => `${text}|${look}`);
};

test('colours become names of classes', () => {
  expect(painted('a\x1b[1;31mb\x1b[0mc')).toEqual(['a|', 'b|bold front-1', 'c|']);
});

test('a colour that is cut in two is still one', () => {
  expect(painted('a\x1b[3', '2mb')).toEqual(['a|', 'b|front-2']);
});

test('a mark ends by its own number, and colours by theirs', () => {
  expect(painted('\x1b[1;4;94;41ma\x1b[22;39mb\x1b[24;49mc')).toEqual([
    'a|bold under front-12 back-1',
    'b|under back-1',
    'c|',
  ]);
});

test('colours of a larger palette become the nearest of the sixteen', () => {
  expect(painted('\x1b[38;5;196ma\x1b[48;2;0;0;200mb\x1b[38;5;244;1mc')).toEqual([
    'a|front-9',
    'b|front-9 back-12',
    'c|bold front-7 back-12',
  ]);
});

test('whatever else a sequence wants is left out', () => {
  expect(painted('\x1b]52;c;ZXZpbA==\x07a\x1b[2Jb\x1b]0;title\x1b\\<b>')).toEqual(['ab<b>|']);
});

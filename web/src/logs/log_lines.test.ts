import { expect, test } from 'vitest';
import { lines_max, LogLines, matching, text_of } from './log_lines';

const texts = (log: LogLines): string[] => log.list().map(text_of);

test('a line is there when it has ended, in however many pieces it came', () => {
  const log = new LogLines();
  log.append('stdout', 'one\ntw');
  expect(texts(log)).toEqual(['one']);
  log.append('stdout', 'o\n\nthree');
  expect(texts(log)).toEqual(['one', 'two', '']);
  log.finish();
  expect(texts(log)).toEqual(['one', 'two', '', 'three']);
});

test('what two streams and two containers write is not mixed within a line', () => {
  const log = new LogLines();
  log.append('stdout', 'a', 'web');
  log.append('stderr', 'x\n', 'web');
  log.append('stdout', 'y\n', 'db');
  log.append('stdout', 'b\n', 'web');
  expect(log.list().map((line) => [line.source, text_of(line)])).toEqual([
    ['web', 'x'],
    ['db', 'y'],
    ['web', 'ab'],
  ]);
});

test('the time that the engine wrote before a line is told apart from it', () => {
  const log = new LogLines();
  log.append('stdout', '2026-11-22T10:00:00.123456789Z \x1b[31mred\n2026-11-22 is no time\n');
  expect(log.list().map((line) => [line.at, text_of(line)])).toEqual([
    ['2026-11-22T10:00:00.123456789Z', 'red'],
    [undefined, '2026-11-22 is no time'],
  ]);
});

test('a time that is told apart belongs to the line that begins with it', () => {
  const log = new LogLines();
  log.append('stdout', 'half ', '', '2026-11-22T10:00:00Z');
  log.append('stdout', 'whole\nnext\n', '', '2026-11-22T10:00:01Z');
  expect(log.list().map((line) => [line.at, text_of(line)])).toEqual([
    ['2026-11-22T10:00:00Z', 'half whole'],
    [undefined, 'next'],
  ]);
});

test('colours stay and everything else a sequence wants is gone', () => {
  const log = new LogLines();
  log.append('stdout', '\x1b[32mok\x1b[0m \x1b]52;c;eA==\x07<img>\n');
  expect(log.list()[0]?.pieces).toEqual([
    { text: 'ok', look: 'front-2' },
    { text: ' <img>', look: '' },
  ]);
});

test('a character that is cut in two is whole', () => {
  const log = new LogLines();
  log.append_base64('stdout', btoa('\xe5\xae'));
  log.append_base64('stdout', btoa('\xb9\n'));
  expect(texts(log)).toEqual(['容']);
});

test('no more lines are kept than there is room for', () => {
  const log = new LogLines();
  log.append('stdout', 'x\n'.repeat(lines_max + 5));
  expect([log.list().length, log.hidden()]).toEqual([lines_max, 5]);
});

test('a search finds a text across colours, whatever its case', () => {
  const log = new LogLines();
  log.append('stdout', 'a \x1b[31mER\x1b[0mror\nfine\n');
  expect(matching(log.list(), 'error').map(text_of)).toEqual(['a ERror']);
});

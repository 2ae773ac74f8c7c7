import { expect, test } from 'vitest';
import { OutputBuffer, shown_max } from './output';

test('pieces of one stream join, a change of stream begins a new segment', () => {
  const output = new OutputBuffer();
  output.append('stdout', 'a');
  output.append('stdout', 'b\n');
  output.append('stderr', 'oh\n');
  expect(output.segments().map(({ stream, text }) => [stream, text])).toEqual([
    ['stdout', 'ab\n'],
    ['stderr', 'oh\n'],
  ]);
});

test('what a compiler wrote stays apart from what the program wrote', () => {
  const output = new OutputBuffer();
  output.append('stdout', 'warning\n', 'compile');
  output.append('stdout', 'hello\n');
  output.finish();
  expect(output.segments().map(({ stage, text }) => [stage, text])).toEqual([
    ['compile', 'warning\n'],
    ['run', 'hello\n'],
  ]);
});

test('a character cut between two base64 pieces is put together', () => {
  const output = new OutputBuffer();
  output.append_base64('stdout', btoa('\xe4\xb8'));
  output.append_base64('stdout', btoa('\x96'));
  output.finish();
  expect(output.text()).toBe('世');
});

test('bytes that are no text show as replacement characters', () => {
  const output = new OutputBuffer();
  output.append_base64('stdout', btoa('\xff'));
  output.finish();
  expect(output.text()).toBe('\ufffd');
});

test('text after an unfinished character comes after its replacement', () => {
  const output = new OutputBuffer();
  output.append_base64('stdout', btoa('\xe4'));
  output.append('stdout', 'a');
  expect(output.text()).toBe('\ufffda');
});

test('output beyond the bound pushes the oldest out and is counted', () => {
  const output = new OutputBuffer();
  output.append('stdout', 'x'.repeat(shown_max + 10_000));
  output.append('stdout', 'end');
  expect(output.text().length).toBeLessThanOrEqual(shown_max);
  expect(output.text().endsWith('end')).toBe(true);
  expect(output.hidden_characters() + output.text().length).toBe(shown_max + 10_003);
});

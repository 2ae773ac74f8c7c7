import { expect, test } from 'vitest';
import { EventParser } from './sse';

test('an event has its name and its data', () => {
  const events = new EventParser().push('event: state\ndata: {"state":"running"}\n\n');
  expect(events).toEqual([{ name: 'state', data: '{"state":"running"}' }]);
});

test('an event cut anywhere arrives once and whole', () => {
  const text = 'event: stdout\r\ndata: {"text":"a"}\r\n\r\n';
  const parser = new EventParser();
  expect([...text].flatMap((character) => parser.push(character))).toEqual([
    { name: 'stdout', data: '{"text":"a"}' },
  ]);
});

test('several data lines are one text', () => {
  const events = new EventParser().push('data: a\ndata:b\n\n');
  expect(events).toEqual([{ name: 'message', data: 'a\nb' }]);
});

test('comments, unknown fields and events without data are skipped', () => {
  expect(new EventParser().push(': ping\n\nid: 4\nretry: 10\n\nevent: x\n\n')).toEqual([]);
});

test('a name does not last beyond its event', () => {
  const events = new EventParser().push('event: a\ndata: 1\n\ndata: 2\n\n');
  expect(events.map((event) => event.name)).toEqual(['a', 'message']);
});

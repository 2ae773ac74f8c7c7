import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LiveLink } from './live.svelte';

/** The browser's socket, as far as a link uses it. */
class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static last: FakeSocket;
  readyState = 0;
  sent: unknown[] = [];
  onopen = (): void => {};
  onmessage: ((_: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor() {
    FakeSocket.last = this;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('location', { origin: 'http://box' });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function linked(): { link: LiveLink; heard: unknown[] } {
  const heard: unknown[] = [];
  const link = new LiveLink(() => ['events'], {
    message: (message) => heard.push(message),
    poll: () => {},
  });
  link.start();
  return { link, heard };
}

const topic = 'logs:local/web';

test('a topic is told to who follows it, and to nobody else', () => {
  const { link, heard } = linked();
  FakeSocket.last.open();
  const told: unknown[] = [];
  link.follow(topic, { tail: 5 }, { message: (message) => told.push(message) });
  expect(FakeSocket.last.sent).toEqual([{ subscribe: 'events' }, { subscribe: topic, tail: 5 }]);
  FakeSocket.last.say({ type: 'logs', topic, lines: [] });
  FakeSocket.last.say({ type: 'events', topic: 'events', cursor: '1', items: [] });
  expect([told.length, heard.length]).toEqual([1, 1]);
});

test('what is followed is asked for again after an interruption', () => {
  const { link } = linked();
  FakeSocket.last.open();
  const steps: string[] = [];
  link.follow(topic, {}, {
    message: () => {},
    begin: () => steps.push('begin'),
    interrupted: () => steps.push('interrupted'),
  });
  FakeSocket.last.close();
  vi.advanceTimersByTime(2_000);
  FakeSocket.last.open();
  expect(steps).toEqual(['begin', 'interrupted', 'begin']);
  expect(FakeSocket.last.sent).toContainEqual({ subscribe: topic });
});

test('a topic that has ended is not asked for again', () => {
  const { link } = linked();
  FakeSocket.last.open();
  link.follow(topic, {}, { message: () => {} });
  FakeSocket.last.say({ type: 'end', topic, reason: 'ended' });
  FakeSocket.last.close();
  vi.advanceTimersByTime(2_000);
  FakeSocket.last.open();
  expect(FakeSocket.last.sent).toEqual([{ subscribe: 'events' }]);
});

test('who looks away is told nothing any more', () => {
  const { link } = linked();
  FakeSocket.last.open();
  const told: unknown[] = [];
  const leave = link.follow(topic, {}, { message: (message) => told.push(message) });
  leave();
  expect(FakeSocket.last.sent.at(-1)).toEqual({ unsubscribe: topic });
  FakeSocket.last.say({ type: 'logs', topic, lines: [] });
  expect(told).toEqual([]);
});

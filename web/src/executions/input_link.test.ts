import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InputLink } from './input_link.svelte';

/** The browser's socket, as far as a link uses it. */
class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static last: FakeSocket;
  readyState = 0;
  sent: unknown[] = [];
  onopen = (): void => {};
  onmessage = (_: { data: string }): void => {};
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.last = this;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.onclose?.();
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }
}

beforeEach(() => {
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('location', { origin: 'https://box' });
});
afterEach(() => vi.unstubAllGlobals());

test('what is typed before the socket is open is sent when it is', () => {
  const link = new InputLink('01j9', undefined);
  link.type('a\n');
  expect(FakeSocket.last.sent).toEqual([]);
  FakeSocket.last.open();
  link.type('b\n');
  expect(FakeSocket.last.url).toBe('wss://box/api/v1/executions/01j9/stream');
  expect(FakeSocket.last.sent).toEqual([
    { type: 'input', text: 'a\n' },
    { type: 'input', text: 'b\n' },
  ]);
});

test('a pipe is ended and interrupted by messages', () => {
  const link = new InputLink('01j9', undefined);
  FakeSocket.last.open();
  link.interrupt();
  link.end();
  expect(FakeSocket.last.sent).toEqual([
    { type: 'signal', signal: 'SIGINT' },
    { type: 'end_of_input' },
  ]);
  expect(link.open).toBe(false);
});

test('a terminal is ended and interrupted by what the keys would type', () => {
  const link = new InputLink('01j9', { rows: 24, columns: 80 });
  FakeSocket.last.open();
  link.interrupt();
  link.end();
  expect(FakeSocket.last.sent).toEqual([
    { type: 'input', text: '\x03' },
    { type: 'input', text: '\x04' },
  ]);
  expect(link.open).toBe(true);
});

test('long text goes in pieces that a message may have', () => {
  const link = new InputLink('01j9', undefined);
  FakeSocket.last.open();
  link.type('x'.repeat(40_000));
  const lengths = FakeSocket.last.sent.map((message) => (message as { text: string }).text.length);
  expect(lengths).toEqual([16_384, 16_384, 7_232]);
});

test('no piece ends in the middle of a character', () => {
  const link = new InputLink('01j9', undefined);
  FakeSocket.last.open();
  link.type(`${'x'.repeat(16_383)}😀`);
  const texts = FakeSocket.last.sent.map((message) => (message as { text: string }).text);
  expect(texts[1]).toBe('😀');
});

test('a refusal is told, output is not mistaken for one', () => {
  const link = new InputLink('01j9', undefined);
  FakeSocket.last.onmessage({ data: '{"type":"stdout","text":"error"}' });
  expect(link.problem).toBeUndefined();
  const detail = 'it was started without input';
  FakeSocket.last.onmessage({
    data: JSON.stringify({ type: 'error', code: 'not_interactive', detail }),
  });
  expect([link.problem?.code, link.problem?.detail]).toEqual(['not_interactive', detail]);
});

test('a socket that closes ends the typing', () => {
  const link = new InputLink('01j9', undefined);
  FakeSocket.last.close();
  expect(link.open).toBe(false);
});

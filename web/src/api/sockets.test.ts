import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { leave_socket } from './sockets';

beforeEach(() => vi.stubGlobal('WebSocket', { CONNECTING: 0, OPEN: 1 }));
afterEach(() => vi.unstubAllGlobals());

function socket(readyState: number): { real: WebSocket; closed: () => number } {
  let closed = 0;
  const real = { readyState, close: () => (closed += 1) } as unknown as WebSocket;
  return { real, closed: () => closed };
}

test('an open socket is closed at once', () => {
  const { real, closed } = socket(1);
  leave_socket(real);
  expect(closed()).toBe(1);
});

test('one that is not open yet is closed when it is', () => {
  const { real, closed } = socket(0);
  leave_socket(real);
  expect(closed()).toBe(0);
  real.onopen!(new Event('open'));
  expect(closed()).toBe(1);
});

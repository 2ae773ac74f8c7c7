// Peers that keep a server busy: raw connections, and who asks properly beside them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';

/** Says `first` on a connection of its own and keeps it open. Resolves once that has been sent. */
export function open(port, first = '') {
  return new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => (first === '' ? done(socket) : socket.write(first, () => done(socket))));
    socket.on('error', () => done(socket));
  });
}

/** `count` of them, some at a time. */
export async function open_many(count, make) {
  const at_once = 200;
  const sockets = [];
  while (sockets.length < count) {
    const some = Math.min(at_once, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: some }, (_, i) => make(sockets.length + i)))));
  }
  return sockets;
}

/** Whoever asks properly is answered, each time. */
export async function served(server, times = 20) {
  for (let i = 0; i < times; ++i) {
    const { status } = await server.api('GET', '/api/v1/me');
    assert.equal(status, 200);
  }
}

/** How many more files this process may open, both ends of connections here included. */
export function descriptors() {
  const line = readFileSync('/proc/self/limits', 'utf8').split('\n').find((text) => text.startsWith('Max open files'));
  return Number(line.split(/\s+/)[3]) - 100;
}

/** What the server holds, in MiB. */
export function resident(server) {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024);
}

// More connections than a server serves, by peers that say nothing, say it slowly, do not listen,
// or leave at once. It serves whoever asks properly while they are there, and afterwards.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { Server, folder, pause } from '../operate/place.mjs';
import { descriptors, open, open_many, resident, served } from './peers.mjs';

const server = new Server(folder());
test.before(() => server.start());
test.after(() => server.stop());

test('10,000 idle connections', async (t) => {
  const count = Math.min(10_000, descriptors());
  const before = resident(server);
  const idle = await open_many(count, () => open(server.port));
  await served(server);
  t.diagnostic(`${count} connections, ${resident(server) - before} MiB more`);
  for (const socket of idle) socket.destroy();
  await served(server);
});

test('heads and bodies that come a byte at a time, and answers that nobody reads', async () => {
  const heads = await open_many(700, () => open(server.port, 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: '));
  const bodies = await open_many(700, () => open(server.port, `POST /api/v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n`
    + 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'));
  const readers = await open_many(50, async () => {
    const socket = await open(server.port, `GET /api/openapi.yaml HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`.repeat(50));
    return socket.pause();
  });
  for (let i = 0; i < 5; ++i) {
    for (const socket of [...heads, ...bodies]) if (socket.writable) socket.write(' ');
    await served(server, 5);
    await pause(100);
  }
  for (const socket of [...heads, ...bodies, ...readers]) socket.destroy();
  await served(server);
});

test('2,000 connections that are reset in the middle of a request', async () => {
  await open_many(2_000, async (i) => {
    const socket = await open(server.port, i % 2 ? 'GET /health HTTP/1.1\r\nHo' : '');
    return socket.resetAndDestroy();
  });
  await served(server);
});

/** Opens the live channel and leaves without a good-bye; answers the status. */
function upgrade() {
  return new Promise((done, failed) => {
    const request = http.request({
      host: '127.0.0.1', port: server.port, path: '/api/v1/live', agent: false,
      headers: {
        authorization: `Bearer ${server.token}`, connection: 'Upgrade', upgrade: 'websocket',
        'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    });
    request.on('upgrade', (answer, socket) => {
      socket.destroy();
      done(answer.statusCode);
    });
    request.on('response', (answer) => done(answer.statusCode));
    request.on('error', failed);
    request.end();
  });
}

test('1,000 WebSockets that leave without a good-bye', async () => {
  const statuses = await open_many(1_000, upgrade);
  assert.deepEqual(new Set(statuses), new Set([101]));
  await served(server);
});

test('what strangers write is no line of the log of its own', async () => {
  const forged = 'x\r\n2026-01-01T00:00:00.000Z error forged\x1b[31m';
  for (const name of [forged, 'a\nforged', '%n%s{}', '\u2028forged']) {
    const { status } = await server.api('POST', '/api/v1/sessions', { name, password: forged }, { authorization: '' });
    assert.ok(status === 400 || status === 401, `${status}`);
    await server.api('GET', `/api/v1/users/${encodeURIComponent(name)}?x=${encodeURIComponent(forged)}`);
  }
  for (const line of server.log.split('\n')) {
    assert.doesNotMatch(line, /^(.*error )?forged/);
    assert.doesNotMatch(line, /[\x00-\x08\x0b-\x1f\x7f]/);
  }
});

// A server that has no descriptor left: it says so, waits without spinning, and takes descriptors
// from those it only waits for.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { Server, pause } from './server.mjs';

const patience_ms = 180_000;
/** So many descriptors more than it has in quiet times. */
const spare = 12;
const watched_ms = 2_000;

const server = new Server();
const descriptors = () => readdirSync(`/proc/${server.process.pid}/fd`).length;
const alive = async () => (await server.api('GET', '/api/v1/system')).status === 200;

async function until(what, look) {
  const deadline = Date.now() + patience_ms;
  while (!(await look())) {
    assert.ok(Date.now() < deadline, `${what}: not within ${patience_ms} ms\n${server.log}`);
    await pause(50);
  }
}

/** Milliseconds of processor time it has used. */
function used_ms() {
  const fields = readFileSync(`/proc/${server.process.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;  // of 1/100 s, as everywhere on Linux
}

const connections = [];
function connect() {
  const socket = net.connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /api/v1/system HTTP/1.1\r\nHost: localhost\r\n');  // and never the rest
  connections.push(socket);
}

const said = () => server.log.includes('cannot accept a connection');

try {
  await server.start();
  // A sanitizer looks at the types of failures through a pipe, once each: later it could have none.
  await server.api('POST', '/api/v1/hosts', { name: 'gone', endpoint: 'unix:///nowhere.sock' });
  await until('a host is away', async () =>
    (await server.api('GET', '/api/v1/hosts/gone')).body.state === 'unreachable');
  connect();
  await pause(200);
  connections.pop().resetAndDestroy();
  await until('it has come to rest', async () => {
    const before = descriptors();
    await pause(1_000);
    return descriptors() === before && (await alive());
  });
  const limit = descriptors() + spare;
  execFileSync('prlimit', [`--pid=${server.process.pid}`, `--nofile=${limit}:${limit}`]);
  for (let i = 0; i < 4 * spare; ++i) connect();
  await until('it says that it can not accept', said);
  const before = used_ms();
  await pause(watched_ms);
  const used = used_ms() - before;
  // Who asks again at once uses all the time there is.
  assert.ok(used < watched_ms / 2, `it used ${used} of ${watched_ms} ms while it had to wait`);
  // Whoever has something to ask is heard while all the others hold on.
  await until('it answers again', () => alive().catch(() => false));
  for (const socket of connections.splice(0)) socket.destroy();
  await until('it has let go', () => descriptors() < limit - spare / 2);
  assert.ok(await alive());
  await server.stop('SIGTERM');
  assert.equal(server.process.exitCode, 0, server.log);
  console.log(`descriptors: none left, ${used} ms of processor time in ${watched_ms} ms, recovered`);
} catch (error) {
  console.error(server.log);
  throw error;
} finally {
  for (const socket of connections) socket.destroy();
  if (server.process?.exitCode === null) await server.stop('SIGKILL');
  server.remove_data();
}

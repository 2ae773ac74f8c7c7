// Names that nobody knows, name servers that fail or never answer, and an address that changes: in
// a network of the test's own, with a name server of its own (run it by `tests/faults/run dns`).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, socket, until } from './server.mjs';

/// More than any other host waits for, were they asked for one after the other.
const silent_hosts = 8;

/** Answers by what `answer_of(name)` says: an IPv4 address, a code of DNS, or nothing at all. */
function name_server(answer_of) {
  const server = dgram.createSocket('udp4');
  const asked = new Map();
  server.on('message', (query, from) => {
    const labels = [];
    let at = 12;
    for (; query[at] !== 0; at += query[at] + 1) {
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
    }
    const name = labels.join('.');
    const type = query.readUInt16BE(at + 1);
    asked.set(name, (asked.get(name) ?? 0) + 1);
    const answer = answer_of(name);
    if (answer === null) return;
    const address = typeof answer === 'string' && type === 1 ? answer : null;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2);
    head.writeUInt16BE(address ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    const record = address ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4,
      ...address.split('.').map(Number)]) : Buffer.alloc(0);
    server.send(Buffer.concat([head, query.subarray(12, at + 5), record]), from.port, from.address);
  });
  return new Promise((done) => {
    server.bind(53, '127.0.0.1', () => done({ asked, close: () => server.close() }));
  });
}

/** The engine as TCP on one address; `drop` ends it. */
function relay(address, port) {
  const open = new Set();
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ path: socket, allowHalfOpen: true });
    near.pipe(far).pipe(near);
    for (const one of [near, far]) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => { near.destroy(); far.destroy(); open.delete(one); });
    }
  });
  const drop = () => {
    server.close();
    for (const one of open) one.destroy();
  };
  return new Promise((done) => server.listen(port, address, () =>
    done({ port: server.address().port, drop })));
}

// What the machine knows of names, in this view of the files only: a mounted file needs no name.
const folder = mkdtempSync(join(tmpdir(), 'gantry-dns-'));
try {
  const system = (name, text) => {
    writeFileSync(join(folder, name), text);
    execFileSync('mount', ['--bind', join(folder, name), `/etc/${name}`]);
  };
  system('resolv.conf', 'nameserver 127.0.0.1\n');
  system('nsswitch.conf', 'hosts: files dns\n');
  system('hosts', '127.0.0.1 localhost\n');
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const nxdomain = 3;
const servfail = 2;
let moving = '127.0.0.2';
const names = await name_server((name) => {
  if (name.startsWith('silent')) return null;
  if (name === 'moving.test') return moving;
  return name === 'servfail.test' ? servfail : nxdomain;
});
const server = new Server();
let place = await relay(moving, 0);
const add = async (name, host) => {
  const { status, body } = await server.api('POST', '/api/v1/hosts',
    { name, endpoint: `tcp://${host}:${place.port}`, insecure_tcp: true });
  assert.equal(status, 201, JSON.stringify(body));
};
const host = async (name) => (await server.api('GET', `/api/v1/hosts/${name}`)).body;
const connected = (name) => until(`'${name}' is connected`, async () =>
  (await host(name)).state === 'connected');

try {
  await server.start();
  for (let i = 0; i < silent_hosts; ++i) await add(`silent-${i}`, `silent-${i}.test`);
  await until('the silent names are asked for', () => names.asked.has('silent-0.test'));
  await add('unknown', 'nobody.test');
  await add('failing', 'servfail.test');
  await add('moving', 'moving.test');
  // While eight look-ups hang, others are made and answered.
  await connected('moving');
  await connected('local');
  for (const name of ['unknown', 'failing']) {
    const { error } = await until(`why '${name}' is away`, async () => {
      const seen = await host(name);
      return seen.state === 'unreachable' && seen;
    });
    assert.match(error.detail, /nobody knows this name/);
    assert.ok(error.remedy, JSON.stringify(error));
  }
  const { body: probe } = await server.api('POST', '/api/v1/hosts/unknown/test');
  const failed = probe.steps.find(({ state }) => state === 'failed');
  assert.equal(failed.step, 'resolve', JSON.stringify(probe));
  const { error: silence } = await until('why a silent one is away', async () => {
    const seen = await host('silent-0');
    return seen.state === 'unreachable' && seen;
  });
  assert.match(silence.detail, /no answer within 10 s/);

  // The machine gets another address: it is asked for again, and found there.
  moving = '127.0.0.3';
  const before = names.asked.get('moving.test');
  place.drop();
  place = await relay(moving, place.port);
  await until('it is asked for again', () => names.asked.get('moving.test') > before);
  await connected('moving');
  const { items } = (await server.api('GET', '/api/v1/containers?host=moving')).body;
  assert.ok(Array.isArray(items));

  // Its end waits for no name server: the look-ups are ended with it.
  await add('last', 'silent-last.test');
  await until('the last name is asked for', () => names.asked.has('silent-last.test'));
  await server.stop('SIGTERM');
  assert.equal(server.process.exitCode, 0, server.log);
  console.log(`names: ${silent_hosts} that are never answered, unknown, failing and moving ones`);
} catch (error) {
  console.error(server.log);
  throw error;
} finally {
  if (server.process?.exitCode === null) await server.stop('SIGKILL');
  place.drop();
  names.close();
  server.remove_data();
}

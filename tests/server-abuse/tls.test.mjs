// Handshakes of TLS that no client of ours makes, and whoever asks properly beside them.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { Server, folder } from '../operate/place.mjs';
import { open, open_many } from './peers.mjs';

const data = folder();
const certificate = join(data, 'cert.pem');
const key = join(data, 'key.pem');
const server = new Server(data, '--listen', '127.0.0.1:0', '--listen', '0.0.0.0:0', '--tls-certificate', certificate, '--tls-key', key);
let port = 0;

test.before(async () => {
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', certificate], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  await server.start();
  port = server.ports[1];
});
test.after(() => server.stop());

/** The status of a proper request. */
function health(options = {}) {
  return new Promise((done, failed) => {
    https.get({ host: '127.0.0.1', port, path: '/health', rejectUnauthorized: false, agent: false, ...options }, (answer) => {
      answer.resume();
      answer.on('end', () => done(answer.statusCode));
    }).on('error', failed);
  });
}

test('1,500 handshakes that are garbage, or stop', async () => {
  const hello = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';
  const firsts = ['', '\x16', hello, `${hello}${'x'.repeat(505)}`, '\x16\x03\x01\xff\xff', `\x15\x03\x01\x00\x02\x02\x28`];
  const sockets = await open_many(900, (i) => open(port, Buffer.from(firsts[i % firsts.length], 'latin1')));
  assert.equal(await health(), 200);
  for (const socket of sockets) socket.destroy();
  await open_many(600, async (i) => (await open(port, Buffer.from(firsts[i % firsts.length], 'latin1'))).resetAndDestroy());
  assert.equal(await health(), 200);
});

test('a client does not renegotiate', async () => {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  await new Promise((done) => socket.on('secureConnect', done));
  let renegotiated = false;
  socket.on('error', () => {});
  assert.ok(socket.renegotiate({ rejectUnauthorized: false }, (error) => (renegotiated ||= !error)));
  for (let i = 0; i < 20; ++i) assert.equal(await health(), 200);
  assert.equal(renegotiated, false);
  socket.destroy();
});

/** `openssl s_client WORDS` that says `said`; answers what it prints. */
function s_client(said, ...words) {
  return new Promise((done) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_3', ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (piece) => (out += piece));
    child.stderr.on('data', (piece) => (out += piece));
    child.on('close', () => done(out));
    child.stdin.write(said);
  });
}

test('nothing is taken before the handshake is done', async () => {
  const session = join(data, 'session.pem');
  const early = join(data, 'early');
  const request = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  const first = await s_client(request, '-sess_out', session);
  assert.match(first, /HTTP\/1\.1 200/);
  assert.match(first, /Max Early Data: 0/);
  writeFileSync(early, request);
  const second = await s_client(request, '-sess_in', session, '-early_data', early);
  assert.doesNotMatch(second, /Early data was accepted/);
});

test('a certificate that nobody asked for changes nothing', async () => {
  const own = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
    '-subj', '/CN=admin', '-keyout', join(data, 'own.key'), '-out', join(data, 'own.pem')]);
  assert.equal(own.status, 0);
  assert.equal(await health({ path: '/api/v1/me', key: readFileSync(join(data, 'own.key')), cert: readFileSync(join(data, 'own.pem')) }), 401);
});

test('only versions 1.2 and 1.3 are spoken', async () => {
  await assert.rejects(health({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
  assert.equal(await health(), 200);
});

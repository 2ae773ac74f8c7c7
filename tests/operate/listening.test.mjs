// A certificate that is replaced under a running server, and a proxy in front of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { Server, folder, until } from './place.mjs';

/** Makes `cert.pem` and `key.pem` for `name`, each put in place as a whole. */
function make_certificate(at, name) {
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout',
    join(at, 'new-key.pem'), '-out', join(at, 'new-cert.pem')], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  renameSync(join(at, 'new-key.pem'), join(at, 'key.pem'));
  renameSync(join(at, 'new-cert.pem'), join(at, 'cert.pem'));
}

/** The name in the certificate that is shown on a new connection. */
function shown_at(port) {
  return new Promise((done, failed) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      done(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', failed);
  });
}

test('a new certificate is shown without a restart, and a bad one never', async () => {
  const data = folder();
  make_certificate(data, 'first');
  const server = new Server(data, '--listen', '127.0.0.1:0', '--listen', '0.0.0.0:0',
    '--tls-certificate', join(data, 'cert.pem'), '--tls-key', join(data, 'key.pem'));
  await server.start();
  const port = server.ports[1];
  assert.equal(await shown_at(port), 'first');
  make_certificate(data, 'second');
  await until(async () => (await shown_at(port)) === 'second', 'the new certificate');
  // A certificate without its key: the former stays.
  spawnSync('cp', [join(data, 'local.token'), join(data, 'key.pem')]);
  await until(async () => (await shown_at(port)) === 'second' && server.log.includes('key.pem'),
    'a line in the log about what can not be used');
  assert.equal(await shown_at(port), 'second');
  // Nor is it used, nor does the server end, when it is told to look.
  server.process.kill('SIGHUP');
  await until(() => /SIGHUP.*can not be used/.test(server.log), 'the answer to SIGHUP');
  assert.equal(await shown_at(port), 'second');
  make_certificate(data, 'third');
  await until(async () => (await shown_at(port)) === 'third', 'the third certificate');
  assert.deepEqual((await server.api('GET', '/api/v1/system')).body.warnings, []);
  await server.stop();
});

test('listening without TLS is told in the log and to admins', async () => {
  const server = new Server(folder(), '--listen', '127.0.0.1:0', '--listen', '0.0.0.0:0');
  await server.start();
  // The log comes another way than what is printed at the start, perhaps later.
  await until(() => /plain HTTP: passwords, tokens and programs can be read/.test(server.log),
    'a line in the log');
  const { body } = await server.api('GET', '/api/v1/system');
  assert.match(body.warnings.join(), /plain HTTP/);
  await server.stop();
});

/** The address that the audit log has of the last failed sign-in. */
async function failed_from(server, headers) {
  const answer = await server.api('POST', '/api/v1/sessions', { name: 'nobody', password: 'wrong' }, headers);
  assert.equal(answer.status, 401, JSON.stringify(answer.body));
  const audit = await server.api('GET', '/api/v1/audit');
  return JSON.stringify(audit.body.items[0]);
}

test('only a trusted proxy says where requests come from', async () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https', host: 'localhost', authorization: '' };
  const plain = new Server(folder());
  await plain.start();
  await plain.create_owner();
  assert.doesNotMatch(await failed_from(plain, forwarded), /203\.0\.113\.7/);
  await plain.stop();
  const behind = new Server(folder(), '--trusted-proxy', '127.0.0.1');
  await behind.start();
  await behind.create_owner();
  assert.match(await failed_from(behind, forwarded), /203\.0\.113\.7/);
  // What the client wrote itself stands to the left of what the proxy adds.
  assert.match(await failed_from(behind, { ...forwarded, 'x-forwarded-for': '198.51.100.1, 203.0.113.9' }),
    /203\.0\.113\.9/);
  await behind.stop();
});

test('a proxy that is none is refused at the start', async () => {
  const { gantry } = await import('./place.mjs');
  const tried = gantry('serve', '--data-dir', folder(), '--trusted-proxy', 'everybody');
  assert.match(tried.err, /cannot trust proxy 'everybody'/);
});

test('the password for the database is taken from its file and shown nowhere', async () => {
  const { gantry } = await import('./place.mjs');
  const tried = gantry('backup', '--data-dir', folder(), '--database',
    'postgresql://ada:hunter2hunter2@127.0.0.1:1/gantry', '/nowhere/x');
  assert.equal(tried.status === 0, false);
  assert.doesNotMatch(tried.err + tried.out, /hunter2/);
  assert.match(readFileSync('/dev/null', 'utf8') + tried.err, /postgresql:\/\/ada:/);
});

// The ways to one engine, each as the body of `POST /api/v1/hosts` with what must be trusted on it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { clean_up } from './clean_up.mjs';
import { Keys, Sshd, sshd_missing } from './sshd.mjs';

const opened = [];
const keep = (one) => {
  opened.push(one);
  return one;
};

/** Listens on loopback and passes every connection on to `socket`. */
function relay(socket, server) {
  server.on(server instanceof tls.Server ? 'secureConnection' : 'connection', (near) => {
    const far = net.connect({ path: socket, allowHalfOpen: true });
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  server.on('tlsClientError', () => {});
  keep({ stop: () => server.close() });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
}

/** An authority with a certificate for `localhost` and one for us. */
function certificates() {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-ca-'));
  const openssl = (...words) => {
    const ended = spawnSync('openssl', words, { cwd: folder, encoding: 'utf8' });
    if (ended.status !== 0) throw new Error(ended.stderr);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key',
    '-out', 'ca.pem');
  for (const name of ['localhost', 'client']) {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`,
      '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '2',
      '-copy_extensions', 'copy', '-out', `${name}.pem`);
  }
  const read = (name) => readFileSync(join(folder, name), 'utf8');
  const all = { ca: read('ca.pem'), server: [read('localhost.pem'), read('localhost.key')],
    client: [read('client.pem'), read('client.key')] };
  rmSync(folder, { recursive: true });
  return all;
}

async function tls_way(socket) {
  const made = certificates();
  const [cert, key] = made.server;
  const port = await relay(socket, tls.createServer({ cert, key, ca: made.ca, requestCert: true,
    rejectUnauthorized: true, allowHalfOpen: true }));
  const [certificate, own] = made.client;
  return { host: { endpoint: `tls://localhost:${port}`, tls: { ca: made.ca, certificate, key: own } } };
}

/** The key `mine`, which `sshds` let in. */
function key_for(...sshds) {
  const keys = keep(new Keys());
  keys.stop = keys.remove;
  const identity = keys.make('mine');
  for (const sshd of sshds) sshd.accept(keys.public('mine'));
  return { keys, identity };
}

async function key_way(socket) {
  const sshd = await keep(new Sshd()).start();
  const { identity } = key_for(sshd);
  return { host: { endpoint: sshd.endpoint(socket), ssh: { identity } }, trust: [sshd], via: 'forward' };
}

async function password_way(socket) {
  const password = 'correct horse "battery" \'$HOME\'';
  const sshd = await keep(new Sshd()).start({ password });
  return { host: { endpoint: sshd.endpoint(socket), ssh: { password } }, trust: [sshd], via: 'forward' };
}

async function certificate_way(socket) {
  const sshd = await keep(new Sshd()).start();
  const { keys, identity } = key_for();
  keys.make('authority');
  sshd.accept_authority(keys.public('authority'));
  const certificate = keys.certify('mine', 'authority', userInfo().username);
  return { host: { endpoint: sshd.endpoint(socket), ssh: { identity, certificate } },
    trust: [sshd], via: 'forward' };
}

async function jump_way(socket) {
  const jump = await keep(new Sshd()).start();
  const sshd = await keep(new Sshd()).start();
  const { identity } = key_for(jump, sshd);
  return { host: { endpoint: sshd.endpoint(socket), ssh: { identity, jump: [jump.login()] } },
    trust: [jump, sshd], via: 'forward' };
}

async function stdio_way(socket) {
  const sshd = await keep(new Sshd()).start({ lines: ['AllowStreamLocalForwarding no'] });
  const { identity } = key_for(sshd);
  return { host: { endpoint: sshd.endpoint(socket), ssh: { identity } }, trust: [sshd],
    via: 'dial-stdio' };
}

const has_docker = () => spawnSync('docker', ['--version']).status === 0;
const no_root = () => (process.getuid() === 0 ? '' : 'only root can give an sshd a password');
const no_docker = () => sshd_missing() || (has_docker() ? '' : 'there is no docker client here');
const never = () => '';

/** {name, missing(), make(socket)}: `missing` says why it can not be had here. */
export const ways = [
  { name: 'unix', missing: never, make: (socket) => ({ host: { endpoint: `unix://${socket}` } }) },
  { name: 'tcp', missing: never, make: async (socket) => ({
    host: { endpoint: `tcp://127.0.0.1:${await relay(socket, net.createServer({ allowHalfOpen: true }))}` } }) },
  { name: 'tls', missing: never, make: tls_way },
  { name: 'ssh-key', missing: sshd_missing, make: key_way },
  { name: 'ssh-password', missing: () => sshd_missing() || no_root(), make: password_way },
  { name: 'ssh-certificate', missing: sshd_missing, make: certificate_way },
  { name: 'ssh-jump', missing: sshd_missing, make: jump_way },
  { name: 'ssh-no-forwarding', missing: no_docker, make: stdio_way },
];

/** Ends what the ways have opened. */
export const close_ways = () => clean_up(...opened.splice(0).map((one) => () => one.stop()));

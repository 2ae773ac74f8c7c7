// Real ways to the engine, on loopback: an OpenSSH server and a TLS front of the test's own.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import { kill_tree } from '../ways/clean_up.mjs';

const engine = process.env.GANTRY_TEST_ENGINE ?? 'unix:///var/run/docker.sock';
export const engine_socket = engine.replace('unix://', '');
const sshd = '/usr/sbin/sshd';

const folder = mkdtempSync(join(tmpdir(), 'gantry-ways-'));
export const remove_folder = () => rmSync(folder, { recursive: true, force: true });
const file = (name) => join(folder, name);
const text_of = (name) => readFileSync(file(name), 'utf8');
const run = (program, ...words) => execFileSync(program, words, { stdio: 'pipe' }).toString();

async function free_port() {
  const server = net.createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Why there can be no SSH server here; nothing where all is well. */
export function ssh_missing() {
  if (process.env.CI || existsSync(sshd)) return undefined;
  return 'sshd is not installed: package openssh-server';
}

function make_key(name) {
  run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file(name));
}

/** Lets in the user who runs the test, by the key `identity`. */
export class SshServer {
  host_key = 'host-1';

  async start() {
    if (!this.port) {
      this.port = await free_port();
      for (const name of [this.host_key, 'user']) make_key(name);
      writeFileSync(file('authorized_keys'), text_of('user.pub'), { mode: 0o600 });
      writeFileSync(file('sshd_config'), `ListenAddress 127.0.0.1:${this.port}
PidFile none
AuthorizedKeysFile ${file('authorized_keys')}
UsePAM no
StrictModes no
PermitRootLogin yes
KbdInteractiveAuthentication no
PasswordAuthentication no
`);
    }
    mkdirSync('/run/sshd', { recursive: true });
    const words = ['-D', '-f', file('sshd_config'), '-h', file(this.host_key), '-E', file('log')];
    this.process = spawn(sshd, words, { stdio: 'ignore' });
    this.exited = new Promise((done) => this.process.on('exit', done));
    for (let tries = 0; !(await answers(this.port)); ++tries) {
      assert.ok(tries < 1200, `sshd does not listen: ${existsSync(file('log')) && text_of('log')}`);
      await pause(50);
    }
  }

  stop() {
    if (this.process) kill_tree(this.process.pid);
  }

  /** The same address with another key, as of a machine that was made anew, or of somebody else. */
  async become_another() {
    this.stop();
    await this.exited;  // until then it would answer in the place of the other
    this.host_key = 'host-2';
    make_key(this.host_key);
    await this.start();
  }

  endpoint() {
    return `ssh://${userInfo().username}@127.0.0.1:${this.port}${engine_socket}`;
  }

  identity() {
    return text_of('user');
  }

  /** As its owner would read it on the machine itself. */
  fingerprint() {
    return /SHA256:\S+/.exec(run('ssh-keygen', '-l', '-f', file(`${this.host_key}.pub`)))[0];
  }
}

async function answers(port) {
  const socket = net.connect(port, '127.0.0.1');
  const ok = await new Promise((done) => {
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  });
  socket.destroy();
  return ok;
}

const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

function make_authority(name) {
  run('openssl', 'req', '-x509', ...ec, '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`),
    '-out', file(`${name}.pem`));
}

function make_certificate(name, authority) {
  run('openssl', 'req', '-x509', '-CA', file(`${authority}.pem`), '-CAkey',
    file(`${authority}.key`), ...ec, '-subj', `/CN=${name}`, '-addext',
    'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout',
    file(`${name}.key`), '-out', file(`${name}.pem`));
}

/** Mutual TLS in front of the engine's socket, as dockerd has it on port 2376. */
export class TlsFront {
  connections = new Set();

  async start() {
    for (const name of ['authority', 'stranger']) make_authority(name);
    for (const name of ['server', 'client']) make_certificate(name, 'authority');
    const options = {
      ca: text_of('authority.pem'),
      cert: text_of('server.pem'),
      key: text_of('server.key'),
      requestCert: true,
      rejectUnauthorized: true,
    };
    this.server = tls.createServer(options, (outside) => {
      const inside = net.connect(engine_socket);
      for (const one of [outside, inside]) {
        this.connections.add(one);
        one.on('error', () => one.destroy());
        one.on('close', () => {
          outside.destroy();
          inside.destroy();
          this.connections.delete(one);
        });
      }
      outside.pipe(inside).pipe(outside);
    });
    // Clients that do not trust us end the handshake.
    this.server.on('tlsClientError', () => undefined);
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
  }

  stop() {
    this.server?.close();
    for (const one of this.connections) one.destroy();
  }

  address() {
    return `127.0.0.1:${this.server.address().port}`;
  }

  authority() {
    return text_of('authority.pem');
  }

  stranger() {
    return text_of('stranger.pem');
  }

  /** What `docker context export` would write for it. */
  exported_context() {
    const inside = file('context/tls/docker');
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, 'ca.pem'), this.authority());
    writeFileSync(join(inside, 'cert.pem'), text_of('client.pem'));
    writeFileSync(join(inside, 'key.pem'), text_of('client.key'));
    const docker = { Host: `tcp://${this.address()}`, SkipTLSVerify: false };
    const meta = { Name: 'The Vault', Metadata: {}, Endpoints: { docker } };
    writeFileSync(file('context/meta.json'), JSON.stringify(meta));
    run('tar', '-C', file('context'), '--format=ustar', '-cf', file('vault.dockercontext'),
      'meta.json', 'tls/docker/ca.pem', 'tls/docker/cert.pem', 'tls/docker/key.pem');
    return readFileSync(file('vault.dockercontext'));
  }
}

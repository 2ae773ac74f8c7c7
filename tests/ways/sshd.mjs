// Real sshds on loopback, each with host keys, users' keys and a configuration of its own. They let
// in whoever runs the test, by keys, certificates and, for root, a password that exists only in the
// sshd's own mount namespace.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync }
  from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { kill_tree } from './clean_up.mjs';

const program = '/usr/sbin/sshd';
const patience_ms = 120_000;  // only so that a test that fails ends
const ports_tried = 5;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Why there can be no sshd here; empty when there can. */
export const sshd_missing = () => (existsSync(program) ? '' : 'package openssh-server is missing');

function run(...words) {
  const ended = spawnSync(words[0], words.slice(1), { encoding: 'utf8' });
  assert.equal(ended.status, 0, `${words.join(' ')}: ${ended.stderr}`);
  return ended.stdout.trim();
}

export function free_port() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Keys made by ssh-keygen. */
export class Keys {
  folder = mkdtempSync(join(tmpdir(), 'gantry-keys-'));
  file = (name) => join(this.folder, name);
  public = (name) => readFileSync(this.file(`${name}.pub`), 'utf8');

  /** A new private key; answers its text. */
  make(name) {
    run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', this.file(name));
    return readFileSync(this.file(name), 'utf8');
  }

  /** The certificate of the key `name` for `user`, signed by the key `authority`. */
  certify(name, authority, user) {
    run('ssh-keygen', '-q', '-s', this.file(authority), '-I', name, '-n', user,
      this.file(`${name}.pub`));
    return readFileSync(this.file(`${name}-cert.pub`), 'utf8');
  }

  /** `SHA256:…` */
  fingerprint = (name) => run('ssh-keygen', '-l', '-f', this.file(`${name}.pub`)).split(' ')[1];
  remove = () => rmSync(this.folder, { recursive: true, force: true });
}

export class Sshd {
  folder = mkdtempSync(join(tmpdir(), 'gantry-sshd-'));
  keys = new Keys();
  file = (name) => join(this.folder, name);

  /**
   * `lines`: of sshd_config, before all others; `password`: root's; `user`: who logs in, if not who
   * runs the test: gets a shell.
   */
  async start({ lines = [], password = '', user = userInfo().username } = {}) {
    this.user = user;
    this.keys.make('host');
    for (const name of ['authorized_keys', 'authorities']) writeFileSync(this.file(name), '');
    writeFileSync(this.file('sshd_config'), [...lines, 'PidFile none',
      `AuthorizedKeysFile ${this.file('authorized_keys')}`,
      `TrustedUserCAKeys ${this.file('authorities')}`,
      'UsePAM no', 'StrictModes no', `SetEnv HOME=${this.folder}`, 'PermitRootLogin yes',
      'KbdInteractiveAuthentication no', `PasswordAuthentication ${password ? 'yes' : 'no'}`,
      'MaxStartups 100', 'MaxSessions 100', ''].join('\n'), { mode: 0o600 });
    mkdirSync('/run/sshd', { recursive: true });  // it insists on it
    const [first, ...rest] = [...this.with_files(this.own_files(password)), program, '-D', '-f',
      this.file('sshd_config'), '-h', this.keys.file('host'), '-E', this.file('log')];
    for (let left = ports_tried; left > 0; --left) {
      if (await this.listens(first, rest)) return this;
    }
    return assert.fail(`sshd did not start: ${this.said()}`);
  }

  said = () => (existsSync(this.file('log')) ? readFileSync(this.file('log'), 'utf8') : '');

  /** Starts it on a port that was free a moment ago; false when somebody else has taken it. */
  async listens(first, rest) {
    this.port = await free_port();
    rmSync(this.file('log'), { force: true });
    this.process = spawn(first, [...rest, '-o', `ListenAddress=127.0.0.1:${this.port}`],
      { stdio: 'ignore' });
    const deadline = Date.now() + patience_ms;
    // Asking the port would not tell whose it is.
    while (!this.said().includes('Server listening on ')) {
      assert.ok(Date.now() < deadline, `sshd does not listen: ${this.said()}`);
      if (this.process.exitCode !== null) return false;
      await pause(20);
    }
    return true;
  }

  /** Its own view of accounts: a password that nobody else knows, and a shell for who has none. */
  own_files(password) {
    const files = {};
    if (password) {
      const hash = run('openssl', 'passwd', '-6', password);
      files['/etc/shadow'] = readFileSync('/etc/shadow', 'utf8')
        .replace(/^root:.*$/m, `root:${hash}:19000:0:99999:7:::`);
    }
    if (this.user !== userInfo().username) {
      files['/etc/passwd'] = readFileSync('/etc/passwd', 'utf8')
        .replace(new RegExp(`^(${this.user}:.*):[^:]*:[^:]*$`, 'm'), '$1:/:/bin/sh');
    }
    return files;
  }

  /** The words before sshd's own with which it sees these files in the place of the machine's. */
  with_files(files) {
    const pairs = Object.entries(files).flatMap(([place, text], i) => {
      writeFileSync(this.file(`own-${i}`), text, { mode: place === '/etc/shadow' ? 0o600 : 0o644 });
      return [this.file(`own-${i}`), place];
    });
    if (pairs.length === 0) return [];
    const script =
      'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"';
    return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', ...pairs,
      '--'];
  }

  login = () => `${this.user}@127.0.0.1:${this.port}`;
  endpoint = (path) => `ssh://${this.login()}${path}`;
  fingerprint = () => this.keys.fingerprint('host');
  accept = (key) => appendFileSync(this.file('authorized_keys'), key);
  accept_authority = (key) => appendFileSync(this.file('authorities'), key);

  stop() {
    if (this.process) kill_tree(this.process.pid);
    this.keys.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

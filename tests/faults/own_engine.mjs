// A Docker engine of the test's own, which may be killed: in a network namespace of its own, so
// that no other engine of this machine loses its bridge, and with everything in one folder.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

const start_timeout_ms = 180_000;  // only so that a test that fails ends
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const sudo = process.getuid() === 0 ? [] : ['sudo', '-n'];

/** Runs a program as root and answers what it says. */
function as_root(...words) {
  const [program, ...rest] = [...sudo, ...words];
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Why there can be no engine of our own here; empty when there can. */
export function cause_against() {
  try {
    as_root('unshare', '-n', 'true');
    as_root('sh', '-c', 'command -v dockerd');
    return '';
  } catch (error) {
    return `dockerd can not be started by this user: ${error.message.split('\n')[0]}`;
  }
}

/** Pipes the image from one engine into the other. */
function copy_image(from, to, image) {
  return new Promise((done, failed) => {
    const get = http.request({ socketPath: from, path: `/v1.41/images/${image}/get` }, (tar) => {
      if (tar.statusCode !== 200) return failed(new Error(`no image ${image}: ${tar.statusCode}`));
      const load = http.request({ socketPath: to, method: 'POST', path: '/v1.41/images/load' },
        (answer) => answer.resume().on('end', done));
      load.on('error', failed);
      tar.pipe(load);
    });
    get.on('error', failed);
    get.end();
  });
}

export class OwnEngine {
  folder = mkdtempSync(join(process.env.TMPDIR ?? '/var/tmp', 'gantry-engine-'));
  socket = join(this.folder, 'docker.sock');
  endpoint = `unix://${this.socket}`;

  /** Starts it, or starts it again, and waits until it answers; `more`: further options. */
  async start(...more) {
    const log = openSync(join(this.folder, 'log'), 'a');
    const name = this.folder.split('/').pop();
    const [program, ...rest] = [...sudo, 'unshare', '-n', 'dockerd',
      '--data-root', join(this.folder, 'data'), '--exec-root', join(this.folder, 'exec'),
      '--pidfile', join(this.folder, 'pid'), '--host', this.endpoint,
      '--group', String(process.getgid()), '--containerd-namespace', name,
      '--containerd-plugins-namespace', `plugins.${name}`,
      '--bridge=none', '--iptables=false', '--ip6tables=false', ...more];
    this.process = spawn(program, rest, { stdio: ['ignore', log, log], detached: true });
    this.exited = new Promise((done) => this.process.on('exit', done));
    const deadline = Date.now() + start_timeout_ms;
    while (!(await this.answers())) {
      assert.ok(Date.now() < deadline && this.process.exitCode === null,
        `dockerd did not start: ${readFileSync(join(this.folder, 'log'), 'utf8').slice(-2000)}`);
      await pause(100);
    }
  }

  answers() {
    return new Promise((done) => {
      const ping = http.get({ socketPath: this.socket, path: '/_ping', timeout: 2000 },
        (answer) => answer.resume().on('end', () => done(answer.statusCode === 200)));
      ping.on('error', () => done(false));
      ping.on('timeout', () => ping.destroy());
    });
  }

  signal(signal) {
    as_root('kill', `-${signal}`, readFileSync(join(this.folder, 'pid'), 'utf8').trim());
  }

  async end(signal) {
    this.signal(signal);
    await this.exited;
    // Its containerd ends with it. Where nobody reaps that, the next dockerd would wait for it.
    as_root('rm', '-f', join(this.folder, 'exec/containerd/containerd.pid'));
  }

  take_image(from, image) {
    return copy_image(from, this.socket, image);
  }

  /** Ends it in order and removes all that it had. */
  async remove() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.end('TERM');
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
      .map((line) => line.split(' ')[1])
      .filter((place) => place?.startsWith(`${this.folder}/`)).sort().reverse();
    for (const place of mounts) as_root('umount', '--lazy', place);
    as_root('rm', '-rf', '--one-file-system', this.folder);
  }
}

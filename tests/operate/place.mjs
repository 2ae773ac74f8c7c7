// A gantry server without an engine, and a PostgreSQL server, both of the test's own.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const binary = process.env.GANTRY_BIN;
const patience_ms = 180_000;  // only so that a test that fails ends

const children = new Set();
// What a failed test has left running.
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

function kept(child) {
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Looks again and again until `look` answers something true. */
export async function until(look, what) {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    assert.ok(Date.now() < deadline, `not within ${patience_ms} ms: ${what}`);
    await pause(50);
  }
}

export const folder = () => mkdtempSync(join(tmpdir(), 'gantry-operate-'));

/** `gantry WORDS`, to its end: {status, out, err}. */
export function gantry(...words) {
  const ended = spawnSync(binary, words, { encoding: 'utf8', env: { PATH: process.env.PATH } });
  return { status: ended.status, out: ended.stdout, err: ended.stderr };
}

export class Server {
  constructor(data, ...words) {
    this.data = data;
    this.words = words;
  }

  async start() {
    const words = this.words.includes('--listen') ? this.words : ['--listen', '127.0.0.1:0', ...this.words];
    this.process = kept(spawn(binary, ['serve', '--data-dir', this.data, '--engine',
      `unix://${this.data}/none.sock`, ...words], { stdio: ['ignore', 'pipe', 'pipe'] }));
    this.exited = new Promise((done) => this.process.on('exit', done));
    this.said = '';
    this.log = '';
    this.process.stdout.on('data', (piece) => (this.said += piece));
    this.process.stderr.on('data', (piece) => (this.log += piece));
    await until(() => {
      assert.equal(this.process.exitCode, null, this.log);
      return this.said.includes('/execute');
    }, 'the start of the server');
    this.ports = [...this.said.matchAll(/https?:\/\/127\.0\.0\.1:(\d+)$/gm)].map((m) => Number(m[1]));
    this.port = this.ports[0];
    this.token = readFileSync(join(this.data, 'local.token'), 'utf8').trim();
  }

  async stop() {
    this.process.kill('SIGTERM');
    await this.exited;
  }

  /** {status, body} */
  async api(method, path, body, headers = {}) {
    const { status, text } = await this.raw(method, path, body, headers);
    return { status, body: text === '' ? null : JSON.parse(text) };
  }

  /** {status, text} */
  raw(method, path, body, headers = {}) {
    return new Promise((done, failed) => {
      const request = http.request({
        host: '127.0.0.1', port: this.port, method, path, agent: false,
        headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...headers },
      }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece) => (text += piece));
        answer.on('end', () => done({ status: answer.statusCode, text }));
      });
      request.on('error', failed);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Makes the owner, by the link that the start has printed. */
  async create_owner() {
    const secret = /\/setup#(\S+)/.exec(this.said)[1];
    const made = await this.api('POST', '/api/v1/setup', { secret, name: 'ada', password: 'correct horse' });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
}

/** A program of PostgreSQL: of the newest version that Debian's packages have put there. */
function program(name) {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(base, version, 'bin', name)).find(existsSync);
}

export const postgres_missing = () => (program('initdb') ? '' : 'PostgreSQL is not installed');

export class Postgres {
  // Short: a socket's path has at most 107 bytes.
  folder = mkdtempSync('/tmp/gantry-pg-');

  constructor() {
    this.as = [];
    if (process.getuid() === 0) {
      const id = Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout);
      const group = Number(spawnSync('id', ['-g', 'postgres'], { encoding: 'utf8' }).stdout);
      chownSync(this.folder, id, group);
      this.as = ['--reuid', `${id}`, '--regid', `${group}`, '--clear-groups'];
    }
    const made = spawnSync('setpriv', [...this.as, program('initdb'), '-D', join(this.folder, 'data'), '-A',
      'trust', '-U', 'gantry', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
  }

  url = () => `postgresql:///postgres?host=${this.folder}&user=gantry`;

  async start() {
    this.process = kept(spawn('setpriv', [...this.as, '--pdeathsig', 'INT', program('postgres'), '-D',
      join(this.folder, 'data'), '-k', this.folder, '-c', 'listen_addresses=', '-c', 'fsync=off'],
    { stdio: 'ignore' }));
    this.exited = new Promise((done) => this.process.on('exit', done));
    await until(() => this.ask('SELECT 1').status === 0, 'the start of PostgreSQL');
  }

  ask(sql) {
    return spawnSync(program('psql'), [this.url(), '-c', sql], { encoding: 'utf8' });
  }

  async stop() {
    this.process.kill('SIGINT');
    await this.exited;
  }

  async remove() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

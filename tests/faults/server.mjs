// A gantry server of the test's own, its API, and a look at the engine behind it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.env.GANTRY_BIN;
export const socket = process.env.GANTRY_TEST_ENGINE.replace('unix://', '');
// Only so that a test that fails ends.
const start_timeout_ms = 120_000;
const end_timeout_ms = 120_000;
const answer_timeout_ms = 180_000;

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** What `look` gives once it gives something; fails when that is not within the patience. */
export async function until(what, look, patience_ms = 120_000) {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    assert.ok(Date.now() < deadline, `${what}: not within ${patience_ms} ms`);
    await pause(50);
  }
}

/** One exchange; answers {status, body}. `options` are those of http.request. */
function exchange(options, body) {
  return new Promise((done, failed) => {
    const request = http.request({ agent: false, timeout: answer_timeout_ms, ...options }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', failed);
      answer.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        done({ status: answer.statusCode, body: text === '' ? null : JSON.parse(text) });
      });
    });
    request.on('error', failed);
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answer_timeout_ms} ms`)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export class Server {
  data = mkdtempSync(join(tmpdir(), 'gantry-faults-'));
  process = null;

  /** `engine`: its socket; `command`: the program, after what starts it otherwise than we are. */
  constructor(engine = socket, command = [binary]) {
    this.engine = engine;
    this.command = command;
  }

  /** Starts on a free port and waits until it is ready. */
  async start() {
    const [program, ...words] = this.command;
    const child = spawn(program, [...words, 'serve', '--listen', '127.0.0.1:0', '--data-dir',
      this.data, '--engine', `unix://${this.engine}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    this.exited = new Promise((done) => child.on('exit', done));
    this.log = '';
    child.stderr.on('data', (piece) => (this.log = (this.log + piece).slice(-20_000)));
    let said = '';
    child.stdout.on('data', (piece) => (said += piece));
    const deadline = Date.now() + start_timeout_ms;
    while (!said.includes('/execute')) {
      assert.ok(Date.now() < deadline && child.exitCode === null, `did not start: ${this.log}`);
      await pause(10);
    }
    this.port = Number(/ is ready on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)[1]);
    this.token = readFileSync(join(this.data, 'local.token'), 'utf8').trim();
  }

  /** For the end of a test: whether it was started or not, and by force when it takes long. */
  async end() {
    if (!this.process) return;
    this.process.kill('SIGTERM');
    const late = setTimeout(() => this.process.kill('SIGKILL'), end_timeout_ms);
    await this.exited;
    clearTimeout(late);
    assert.notEqual(this.process.signalCode, 'SIGKILL', `did not end: ${this.log}`);
  }

  async stop(signal) {
    this.process.kill(signal);
    await this.exited;
  }

  api(method, path, body) {
    return exchange({
      host: '127.0.0.1', port: this.port, method, path,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
    }, body);
  }

  /** Containers on the engine that carry this server's label. Engine 20.10 may go on listing one
   * that it has removed: what it knows nothing more of is none. */
  async containers() {
    const owner = readFileSync(join(this.data, 'server.id'), 'utf8').trim();
    const filters = encodeURIComponent(JSON.stringify({ label: [`io.gantry.owner=${owner}`] }));
    const ask = (path) => exchange({ socketPath: this.engine, path: `/v1.41/containers/${path}` });
    const { body: listed } = await ask(`json?all=1&filters=${filters}`);
    const known = await Promise.all(listed.map(async ({ Id }) =>
      (await ask(`${Id}/json`)).status !== 404));
    return listed.filter((_, i) => known[i]);
  }

  /** Resident memory in KiB and the number of open descriptors. */
  usage() {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return {
      rss_kib: Number(/VmRSS:\s+(\d+)/.exec(status)[1]),
      descriptors: readdirSync(`/proc/${this.process.pid}/fd`).length,
    };
  }

  remove_data() {
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Names of all volumes on the engine. */
export async function volumes() {
  const answer = await exchange({ socketPath: socket, path: '/v1.41/volumes' });
  return (answer.body.Volumes ?? []).map((volume) => volume.Name).sort();
}

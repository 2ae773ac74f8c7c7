// A server of the suite's own, and one case after the other on it.
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, pause } from '../faults/server.mjs';
import { commit_image, control, exchange, remove_image } from './engine.mjs';
import { judge_control, judge_run } from './judge.mjs';
import { Leftovers } from './leftovers.mjs';
import { program_of, quoted, request_of } from './programs.mjs';

const volume_image = 'gantry-abuse/volume:latest';
/** A language whose compiler is a shell: what a compiler may do, without one. */
const settings = `[languages.hostile]
image = "gantry/sh:latest"
extensions = [".hostile"]
entry = "main.hostile"
compile = ["sh", "{entry}"]
run = ["echo", "ran"]
`;

// The sanitizers keep freed memory in quarantine: only the release build's memory tells.
const sanitized = process.env.GANTRY_BIN.includes('/dev/');

/** A limit that is not kept is exceeded each time; a machine is busy some time. */
const runs_max = 3;

export class Suite {
  canary = `CANARY-${Math.random().toString(36).slice(2)}${'x'.repeat(8)}`;
  controls = new Map();
  images = new Set();

  async start() {
    this.folder = mkdtempSync(join(tmpdir(), 'gantry-abuse-settings-'));
    process.env.GANTRY_CONFIG = join(this.folder, 'gantry.toml');
    writeFileSync(process.env.GANTRY_CONFIG, settings);
    process.env.ABUSE_SECRET = this.canary;  // the server has it, no sandbox may
    this.server = new Server();
    await this.server.start();
    const owner = readFileSync(join(this.server.data, 'server.id'), 'utf8').trim();
    this.leftovers = new Leftovers(this.server, owner);
    await this.#hostile_image();
    // Warms up, and makes the server make its folders.
    await this.execute({ image: 'gantry/sh:latest',
      command: ['sh', '-c', 'mkdir out; head -c 200000 /dev/zero | tee out/big'] });
    await this.leftovers.begin();
  }

  async stop() {
    this.leftovers?.stop();
    await this.server.stop('SIGTERM');
    this.left_at_end = (await this.server.containers()).length;
    for (const name of this.images) await remove_image(name);
    this.server.remove_data();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An image whose configuration and files are an attacker's. */
  async #hostile_image() {
    await commit_image(volume_image, 'cp /bin/busybox /suid; chmod 4755 /suid; mkdir -p /data',
      ['VOLUME /data', 'ENV LD_PRELOAD=/data/evil.so', 'ENV PATH=/data:/bin:/usr/bin', 'USER root',
        'HEALTHCHECK --interval=1s CMD touch /data/evil', 'WORKDIR /proc/self/fd/7']);
    this.images.add(volume_image);
  }

  /** One request of any form to the server; answers {status, raw}. */
  request(method, path, body, headers = {}) {
    return exchange({
      host: '127.0.0.1', port: this.server.port, method, path,
      headers: { authorization: `Bearer ${this.server.token}`,
        'content-type': 'application/json', ...headers },
    }, body);
  }

  /** Runs a program to its end; answers {status, execution, raw, ms}. */
  async execute(request) {
    const began = performance.now();
    const { status, raw } = await this.request('POST', '/api/v1/executions?wait=true',
      JSON.stringify(request));
    return { status, raw, execution: JSON.parse(raw.toString()), ms: performance.now() - began };
  }

  /** The request with the executor named in it, as far as this server has a choice. */
  with_executor(request, executor) {
    return { ...request, executor: executor === 'local' ? 'local' : 'docker' };
  }

  /** Why this executor can not be tested here; null when it can. */
  async absence_of(executor) {
    const hello = request_of({ script: 'echo hello', limits: {} }, executor);
    const { status, execution } = await this.execute(this.with_executor(hello, executor));
    if (status === 200 && execution.stdout === 'hello\n') {
      const served = executor === 'local' ? 'local' : 'docker';
      return execution.executor === served ? null
        : `it was asked for, and ${execution.executor} served`;
    }
    return execution.error?.message ?? execution.detail ?? execution.message ?? `HTTP ${status}`;
  }

  async #control(entry) {
    const key = `${entry.number}${entry.part ?? ''}`;
    if (!this.controls.has(key)) {
      this.controls.set(key, entry.control === null ? { shown: true, missing: [] }
        : await this.#run_control(entry));
    }
    return this.controls.get(key);
  }

  async #run_control(entry) {
    const wants = entry.control;
    const hostile = entry.compile
      ? { image: 'gantry/sh:latest', files: [], command: ['sh', '-c', entry.compile] }
      : program_of(entry);
    let script = quoted(hostile.command);
    if (entry.times > 1) script = `${script} >/dev/null; ${script}`;
    if (entry.together) {
      script = entry.together.map((args) => quoted(program_of(entry, args).command)).join(' & ');
    }
    if (wants.script) script = wants.script(script);
    if (wants.after) script = `${script}; ended=$?; ${wants.after}`;
    const image = entry.hostile_image ? volume_image : hostile.image;
    const ms = wants.ms ?? (wants.running || wants.floods ? 1000 : 6000);
    const secrets = entry.canary ? [`ABUSE_SECRET=${this.canary}`] : [];
    const env = ['PATH=/bin:/usr/bin:/sbin', ...secrets];
    return judge_control(entry, await control(image, script, hostile.files,
      { ms, env, host: wants.host }));
  }

  #requests(entry, executor) {
    if (entry.compile) {
      return [{ language: 'hostile', source: entry.compile, compile_limits: entry.compile_limits,
        limits: { wall_time_ms: 8000, ...entry.limits } }];
    }
    const served = entry.hostile_image ? { ...entry, served: volume_image } : entry;
    if (entry.together) return entry.together.map((args) => request_of(served, executor, args));
    return Array(entry.times ?? 1).fill(request_of(served, executor));
  }

  async #runs(entry, executor) {
    const requests = this.#requests(entry, executor)
      .map((request) => this.with_executor(request, executor));
    if (entry.together) {
      const all = requests.map((request, index) => (
        pause(index * (entry.stagger_ms ?? 0)).then(() => this.execute(request))));
      return entry.first_counts ? (await Promise.all(all)).reverse() : Promise.all(all);
    }
    const runs = [];
    for (const request of requests) runs.push(await this.execute(request));
    return runs;
  }

  /** Why a case can not be run with this server or executor yet; null when it can. */
  #not_yet(entry, executor) {
    if (entry.hostile_image && executor === 'local') return 'the local executor has no images';
    if (entry.containers_only && executor === 'local') return 'it is about containers';
    return null;
  }

  /** One case on one executor. */
  async run(entry, executor) {
    const result = { entry, executor, problems: [], notes: [], left: {} };
    const reason = this.#not_yet(entry, executor);
    if (reason) return { ...result, state: 'not yet', why: reason };
    if (entry.run) {
      Object.assign(result, await entry.run(this, executor));
    } else {
      result.control = await this.#control(entry);
      let runs = 0;
      do {
        result.late = null;
        await this.#run_sandboxed(entry, executor, result);
      } while (++runs < runs_max && result.late && result.problems.length === 0);
      if (result.late) result.problems.push(`${result.late}, in ${runs} of ${runs} runs`);
    }
    if (result.state === 'not yet') return result;
    result.left = await this.leftovers.left();
    for (const [what, count] of Object.entries(result.left)) {
      result.problems.push(`${count} ${what} left`);
    }
    result.state = result.problems.length > 0 ? 'SURPRISE'
      : entry.facts ? 'figure' : result.control.shown ? 'passed' : 'not shown here';
    const known = entry.known?.(executor);
    if (result.state === 'SURPRISE' && known) Object.assign(result, { state: 'OPEN', why: known });
    return result;
  }

  async #run_sandboxed(entry, executor, result) {
    const rss = this.server.usage().rss_kib;
    const before = entry.measure?.();
    const runs = await this.#runs(entry, executor);
    const last = runs.at(-1);
    if (last.status !== 200) {
      result.problems.push(`HTTP ${last.status}: ${last.raw.toString().slice(0, 200)}`);
      return;
    }
    const { execution } = last;
    const run = { ...last, before, after: entry.measure?.(), canary: this.canary,
      output: text_of(execution),
      rss_growth_kib: sanitized ? 0 : this.server.usage().rss_kib - rss };
    if (entry.artifacts) {
      if (execution.artifacts === undefined) {
        Object.assign(result, { state: 'not yet', why: 'this server has no artifacts' });
        return;
      }
      run.artifacts = await this.#artifacts(execution);
    }
    result.problems.push(...judge_run(entry, run));
    result.late = entry.expect.kept?.(run);
    const served = executor === 'local' ? 'local' : 'docker';
    if (execution.executor !== served) result.problems.push(`served by ${execution.executor}`);
    if (entry.namespaces) result.problems.push(...shared_namespaces(execution.stdout, result));
    if (entry.facts) result.notes.push(execution.stdout.replaceAll('fact ', '').trim().split('\n')
      .join(', '));
    Object.assign(result, { verdict: execution.verdict, ms: last.ms,
      wall_ms: execution.wall_time_ms, peak: execution.memory_peak_bytes, warm: execution.warm });
  }

  async #artifacts(execution) {
    const all = [];
    for (const { index, path } of execution.artifacts) {
      const { raw, headers } = await this.request('GET',
        `/api/v1/executions/${execution.id}/artifacts/${index}`);
      all.push({ path, headers, content: raw.toString('latin1') });
    }
    return all;
  }
}

function text_of({ stdout, encoding }) {
  return encoding === 'base64' ? Buffer.from(stdout, 'base64').toString('latin1') : stdout;
}

/** Namespaces a program shares with the host. Users' and times' are told, the others may not be. */
function shared_namespaces(output, result) {
  const problems = [];
  for (const [, kind, id] of output.matchAll(/^fact ns (\w+):\[(\d+)\]$/gm)) {
    if (!readlinkSync(`/proc/self/ns/${kind}`).includes(id)) continue;
    if (kind === 'user' || kind === 'time') result.notes.push(`${kind} namespace of the host`);
    else problems.push(`${kind} namespace of the host`);
  }
  return problems;
}

export { pause };

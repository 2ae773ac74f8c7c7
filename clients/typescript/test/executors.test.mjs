// The executors, on a real server and a real engine (GANTRY_BIN, GANTRY_TEST_ENGINE).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  BusyError, DEFAULT_SANDBOX_POLICY, DockerExecutor, GantryClient, LocalSandboxExecutor,
  NetworkModeError, RequestError, SandboxError, infra,
} from 'gantry-client';

import { Server, pause } from '../../../tests/faults/server.mjs';

const offline = { ...DEFAULT_SANDBOX_POLICY, networkAccess: 'none' };
const server = new Server();
let options;

before(async () => {
  await server.start();
  options = { baseUrl: `http://127.0.0.1:${server.port}`, token: server.token };
});
after(async () => {
  await server.stop('SIGTERM');
  server.remove_data();
});

const docker = (changes = {}) => new DockerExecutor({ ...offline, ...changes }, options);

test('the first example of the origin works', async () => {
  const { DockerExecutor: Executor } = infra;
  const executor = new Executor(offline, options);
  const result = await executor.execute({
    language: 'python',
    code: 'print("Hello from Docker!")',
  });
  assert.equal(result.stdout, 'Hello from Docker!');
  assert.equal(result.stderr, '');
  assert.equal(result.exitCode, 0);
  assert.equal(result.executor, 'docker');
  assert.equal(result.truncated, false);
  assert.ok(result.durationMs > 0);
});

for (const [language, code] of [
  ['py', 'print("ok")'],
  ['JavaScript', 'console.log("ok")'],
  ['js', 'console.log("ok")'],
  ['bash', '#!/bin/sh\necho ok'],
  ['sh', 'echo ok'],
  ['shell', 'echo ok'],
]) {
  test(`it runs ${language}`, async () => {
    assert.equal((await docker().execute({ language, code })).stdout, 'ok');
  });
}

test('a language that nobody knows is a result, as it was', async () => {
  const result = await docker().execute({ language: 'klingon', code: '' });
  assert.equal(result.stderr, 'Unsupported language: klingon');
  assert.equal(result.exitCode, 1);
});

test('environment, standard input and both outputs arrive', async () => {
  const result = await docker().execute({
    language: 'python',
    code: 'import os, sys; print(os.environ.get("MY_VAR"), input()); sys.stderr.write("oops\\n")',
    environment: { MY_VAR: 'Hello World' },
    stdin: 'from stdin\n',
  });
  assert.equal(result.stdout, 'Hello World from stdin');
  assert.equal(result.stderr, 'oops');
});

test('files may lie in folders, be binary and executable', async () => {
  const result = await docker().execute({
    language: 'sh',
    code: 'cat src/deep/a.txt; od -An -tx1 bytes.bin; ./tool',
    files: [
      { path: 'src/deep/a.txt', content: 'deep\n' },
      { path: 'bytes.bin', content: 'AP8=', encoding: 'base64' },
      { path: 'tool', content: '#!/bin/sh\necho tool ran\n', executable: true },
    ],
  });
  assert.equal(result.stderr, '');
  assert.match(result.stdout, /^deep\n\s*00 ff\ntool ran$/);
});

test('the project of several files of the origin works', async () => {
  const result = await docker().execute({
    language: 'python',
    code: 'from helper import greet; print(greet("World"))',
    files: [{ path: 'helper.py', content: 'def greet(name):\n    return f"Hello, {name}!"' }],
  });
  assert.equal(result.stdout, 'Hello, World!');
});

test('a path that leaves the work folder is refused', async () => {
  const request = { language: 'sh', code: 'true', files: [{ path: '../x', content: '' }] };
  await assert.rejects(docker().execute(request), (error) => {
    assert.ok(error instanceof RequestError);
    assert.match(error.message, /files/);
    return true;
  });
});

test('its own exit code is told, and 128 + N after signal N', async () => {
  const failed = await docker().execute({ language: 'sh', code: 'echo why >&2; exit 7' });
  assert.deepEqual([failed.exitCode, failed.stderr, failed.verdict], [7, 'why', 'failed']);
  const killed = await docker().execute({ language: 'sh', code: 'kill -9 $$' });
  assert.deepEqual([killed.exitCode, killed.verdict], [137, 'signalled']);
});

test('the timeout of a request ends the run, and keeps what was written', async () => {
  const result = await docker().execute({
    language: 'python',
    code: 'import time; print("begun"); time.sleep(60)',
    timeoutMs: 3000,
  });
  assert.equal(result.stdout, 'begun');
  assert.equal(result.stderr, 'Execution timeout after 3000ms');
  assert.equal(result.exitCode, 1);
  assert.equal(result.timedOut, true);
  assert.ok(result.durationMs < 50_000, `took ${result.durationMs} ms`);
  await no_program_runs();
});

test('without one the policy says how long', async () => {
  const result = await docker({ maxCpuSeconds: 1 }).execute({ language: 'sh', code: 'sleep 60' });
  assert.equal(result.stderr, 'Execution timeout after 1000ms');
});

test('aborting ends the run', async () => {
  const abort = new AbortController();
  const running = docker().execute({
    language: 'sh', code: 'sleep 60', signal: abort.signal,
  });
  const reason = new Error('enough');
  setTimeout(() => abort.abort(reason), 300);
  const ended = await running.catch((error) => error);
  assert.equal(ended, reason, `it ended as ${JSON.stringify(ended)}`);
  await no_program_runs();
});

test('memory over the policy is told', async () => {
  const result = await docker({ maxMemoryMb: 32 }).execute({
    language: 'python', code: 'x = bytearray(200 << 20); print("got it")',
  });
  assert.equal(result.verdict, 'memory_exceeded');
  assert.equal(result.exitCode, 137);
  assert.equal(result.stdout, '');
});

test('long output is cut, and the result says so', async () => {
  const result = await docker().execute({ language: 'python', code: 'print("x" * 8038)' });
  assert.equal(result.stdout, `${'x'.repeat(8000)}\n\n... [truncated 38 more characters]`);
  assert.equal(result.truncated, true);
});

test('runs beside each other do not meet', async () => {
  const results = await Promise.all([...Array(6).keys()].map((n) => docker().execute({
    language: 'sh', code: 'cat mine; ls | wc -l', files: [{ path: 'mine', content: `${n}\n` }],
  })));
  assert.deepEqual(results.map((one) => one.stdout), [0, 1, 2, 3, 4, 5].map((n) => `${n}\n2`));
});

test('a network that the server does not offer is refused, or done without where allowed',
  async (context) => {
    const { limits } = await new GantryClient(options).system();
    if (limits.network.allowed.includes('full')) {
      context.skip('this server offers every network');
      return;
    }
    const full = { ...offline, networkAccess: 'full' };
    const request = { language: 'sh', code: 'echo ran' };
    await assert.rejects(new DockerExecutor(full, options).execute(request), (error) => {
      assert.ok(error instanceof NetworkModeError);
      assert.equal(error.mode, 'full');
      assert.match(error.message, /networkFallback/);
      return true;
    });
    const warnings = [];
    const result = await new DockerExecutor(full, {
      ...options, networkFallback: 'none', onWarning: (text) => warnings.push(text),
    }).execute(request);
    assert.equal(result.stdout, 'ran');
    assert.equal(result.network, 'none');
    assert.match(warnings.join(), /does not offer network 'full'.*running without network/);
  });

test('the local executor leaves the outputs as they are', async (context) => {
  const executor = new LocalSandboxExecutor(offline, options);
  const request = { language: 'python', code: 'print("  local  ")' };
  const result = await executor.execute(request).catch((error) => error);
  if (without_local(result)) return context.skip(result.message);
  assert.equal(result.stdout, '  local  \n');
  assert.equal(result.executor, 'local');
});

test('local has no network: that is refused, or done without where allowed', async (context) => {
  const strict = new LocalSandboxExecutor(DEFAULT_SANDBOX_POLICY, options);
  const error = await strict.execute({ language: 'sh', code: 'true' }).catch((caught) => caught);
  assert.ok(error instanceof NetworkModeError, String(error));
  assert.equal(error.mode, 'outbound');
  const lenient = new LocalSandboxExecutor(DEFAULT_SANDBOX_POLICY,
    { ...options, networkFallback: 'none', onWarning: () => undefined });
  const result = await lenient.execute({ language: 'sh', code: 'echo ran' }).catch((last) => last);
  if (without_local(result)) return context.skip(result.message);
  assert.equal(result.stdout, 'ran\n');
  assert.equal(result.network, 'none');
});

test('a workspace is kept under its name, for one program at a time', async () => {
  const kept = new DockerExecutor({ ...offline, filesystemScope: 'workspace' },
    { ...options, workspace: 'client' });
  const add = { language: 'sh', code: 'echo once >> workspace/log; cat workspace/log' };
  assert.equal((await kept.execute(add)).stdout, 'once');
  assert.equal((await kept.execute(add)).stdout, 'once\nonce');
  const abort = new AbortController();
  const slow = kept.execute({ language: 'sh', code: 'sleep 60', signal: abort.signal })
    .catch((caught) => caught);
  await a_program_runs();
  const error = await kept.execute(add).catch((caught) => caught);
  abort.abort();
  await slow;
  await no_program_runs();
  assert.ok(error instanceof BusyError, String(error));
  assert.equal(error.code, 'workspace_in_use');
});

test('ready() answers where programs can be run', async () => {
  assert.equal(await docker().ready(), undefined);
});

test('any route can be called, typed', async () => {
  const client = new GantryClient(options);
  const page = await client.request('get', '/api/v1/executions', { query: { limit: 1 } });
  assert.equal(page.items.length, 1);
  const one = await client.request('get', '/api/v1/executions/{id}',
    { path: { id: page.items[0].id } });
  assert.equal(one.state, 'finished');
});

/** Whether the server says that it has no local executor: what it lacks is not the client's. */
function without_local(result) {
  return result instanceof SandboxError && /local (executor|sandbox)/.test(result.message);
}

async function a_program_runs() {
  for (let left = 1200; left > 0; --left) {
    const { items } = await new GantryClient(options).request('get', '/api/v1/executions');
    if (items.some((item) => item.state === 'running')) return;
    await pause(100);
  }
  assert.fail('no program runs');
}

/** Nothing of this server is on the engine but what waits for programs. */
async function no_program_runs() {
  for (let left = 1200; left > 0; --left) {
    const { items } = await new GantryClient(options).request('get', '/api/v1/executions');
    if (items.every((item) => item.state === 'finished')) return;
    await pause(100);
  }
  assert.fail('a program still runs');
}

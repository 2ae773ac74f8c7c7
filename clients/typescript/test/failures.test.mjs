// What happens where programs can not be run: every reason has its own error.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import {
  BusyError, ConnectionError, DEFAULT_SANDBOX_POLICY, DockerExecutor, ImagePullError,
  LocalSandboxExecutor, NetworkModeError, PermissionError,
} from 'gantry-client';

const policy = { ...DEFAULT_SANDBOX_POLICY, networkAccess: 'none' };
const hello = { language: 'python', code: 'print("hello")' };
const nobody = 65534;

/** A server with its own flags and configuration; `use` gets the executors' options. */
async function with_server({ flags = [], config = '', uid }, use) {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-client-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  writeFileSync(join(folder, 'gantry.toml'), config);
  let program = process.env.GANTRY_BIN;
  if (uid !== undefined) {
    chmodSync(folder, 0o755);
    chownSync(data, uid, uid);
    // Somebody else may not come to where it was built.
    program = join(folder, 'gantry');
    copyFileSync(process.env.GANTRY_BIN, program);
    chmodSync(program, 0o755);
  }
  const child = spawn(program, ['serve', '--listen', '127.0.0.1:0', '--data-dir',
    data, '--config', join(folder, 'gantry.toml'), ...flags], { uid, gid: uid });
  const exited = new Promise((done) => child.on('close', done));
  try {
    const port = await port_of(child);
    await use({
      baseUrl: `http://127.0.0.1:${port}`,
      token: readFileSync(join(data, 'local.token'), 'utf8').trim(),
    });
  } finally {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

function port_of(child) {
  return new Promise((done, failed) => {
    let said = '';
    child.stderr.on('data', (piece) => (said += piece));
    child.stdout.on('data', (piece) => {
      said += piece;
      const port = / is ready on http:\/\/127\.0\.0\.1:(\d+)[\s\S]*\/execute/.exec(said)?.[1];
      if (port) done(Number(port));
    });
    child.on('exit', () => failed(new Error(`did not start: ${said}`)));
  });
}

const engine = ['--engine', process.env.GANTRY_TEST_ENGINE];

/** What a promise is rejected with. */
async function failure_of(promise) {
  let error;
  await promise.catch((caught) => (error = caught));
  assert.ok(error, 'it was not rejected');
  return error;
}

test('no server', async () => {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => listener.on('listening', done));
  const { port } = listener.address();
  await new Promise((done) => listener.close(done));
  const executor = new DockerExecutor(policy, { baseUrl: `http://127.0.0.1:${port}`, token: 'x' });
  for (const attempt of [() => executor.execute(hello), () => executor.ready()]) {
    const error = await failure_of(attempt());
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.where, 'server');
    assert.equal(error.code, 'server_unreachable');
    assert.match(error.message, /nothing listens there/);
  }
});

test('a token that the server does not know', async () => {
  await with_server({ flags: engine }, async ({ baseUrl }) => {
    const executor = new DockerExecutor(policy, { baseUrl, token: 'gantry_wrong' });
    const error = await failure_of(executor.execute(hello));
    assert.ok(error instanceof PermissionError);
    assert.equal(error.where, 'server');
  });
});

test('no engine: the documented fallback to the local executor works', async (context) => {
  await with_server({ flags: ['--engine', 'unix:///nonexistent/docker.sock'] }, async (options) => {
    const executor = new DockerExecutor(policy, options);
    assert.ok(await failure_of(executor.ready()) instanceof ConnectionError);
    let result;
    try {
      result = await executor.execute(hello);
    } catch (error) {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.where, 'engine');
      assert.match(error.message, /^Docker daemon is not running or not accessible: /);
      const localExecutor = new LocalSandboxExecutor(policy, options);
      result = await localExecutor.execute(hello).catch((refused) => refused);
    }
    if (/local (executor|sandbox)/.test(result.message)) return context.skip(result.message);
    assert.equal(result.stdout, 'hello\n');
    assert.equal(result.executor, 'local');
  });
});

test('an engine whose socket the server may not open',
  { skip: process.getuid() !== 0 && 'needs root, to be somebody else' }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-client-'));
    chmodSync(folder, 0o755);
    const socket = join(folder, 'docker.sock');
    const listener = net.createServer().listen(socket);
    await new Promise((done) => listener.on('listening', done));
    chmodSync(socket, 0o600);
    try {
      const flags = ['--engine', `unix://${socket}`];
      await with_server({ flags, uid: nobody }, async (options) => {
        const error = await failure_of(new DockerExecutor(policy, options).execute(hello));
        assert.ok(error instanceof PermissionError, error.stack);
        assert.equal(error.where, 'engine');
        assert.match(error.message,
          /^permission denied while trying to connect to the Docker daemon socket: /);
      });
    } finally {
      await new Promise((done) => listener.close(done));
      rmSync(folder, { recursive: true, force: true });
    }
  });

test('a network that only the executor can not give is refused as one the server does not allow',
  async () => {
    const config = '[limits.network]\nallowed = ["none", "outbound"]\n';
    await with_server({ flags: engine, config }, async (options) => {
      const warnings = [];
      const executor = new DockerExecutor(DEFAULT_SANDBOX_POLICY, {
        ...options, networkFallback: 'none', onWarning: (text) => warnings.push(text),
      });
      const result = await executor.execute(hello);
      assert.equal(result.stdout, 'hello');
      assert.equal(result.network, warnings.length === 0 ? 'outbound' : 'none');
      const strict = new DockerExecutor(DEFAULT_SANDBOX_POLICY, options).execute(hello);
      if (warnings.length === 0) assert.equal((await strict).network, 'outbound');
      else assert.ok(await failure_of(strict) instanceof NetworkModeError);
    });
  });

test('an image that can not be pulled', async () => {
  const config = `
[languages.away]
image = "127.0.0.1:1/gantry/away:1"
extensions = [".away"]
entry = "main.away"
run = ["cat", "{entry}"]
`;
  await with_server({ flags: engine, config }, async (options) => {
    const progress = [];
    const executor = new DockerExecutor(policy,
      { ...options, onProgress: (message) => progress.push(message) });
    const error = await failure_of(executor.execute({ language: 'away', code: '' }));
    assert.ok(error instanceof ImagePullError, error.stack);
    assert.match(error.message, /^Error pulling image: cannot pull .*127\.0\.0\.1:1/);
  });
});

test('more programs than may wait', async () => {
  await with_server({ flags: [...engine, '--executions-max', '1', '--queue-max', '1'] },
    async (options) => {
      const executor = new DockerExecutor(policy, options);
      const request = { language: 'sh', code: 'sleep 1' };
      const running = [...Array(6)].map(() => executor.execute(request));
      const ends = await Promise.allSettled(running);
      const refused = ends.filter((end) => end.status === 'rejected');
      assert.ok(refused.length > 0);
      for (const { reason } of refused) {
        assert.ok(reason instanceof BusyError, reason.stack);
        assert.ok(reason.retryAfterMs >= 1000);
      }
    });
});

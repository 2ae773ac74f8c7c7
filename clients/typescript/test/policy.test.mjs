// What needs no server: policies, names, output.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  DEFAULT_SANDBOX_POLICY, DefaultExecutorFactory, DockerExecutor, LocalSandboxExecutor,
  createTimeoutPromise, sanitizeEnvironment, truncateOutput, validatePath,
} from 'gantry-client';

const policy = (changes) => ({ ...DEFAULT_SANDBOX_POLICY, ...changes });

test('a policy out of bounds is refused by the constructor, in the known words', () => {
  for (const maxCpuSeconds of [0, -1, 301, NaN]) {
    assert.throws(() => new DockerExecutor(policy({ maxCpuSeconds })),
      { message: 'maxCpuSeconds must be between 1 and 300' });
  }
  assert.throws(() => new DockerExecutor(policy({ maxMemoryMb: 4097 })),
    { message: 'maxMemoryMb must be between 1 and 4096' });
  assert.throws(() => new LocalSandboxExecutor(policy({ maxMemoryMb: 2049 })),
    { message: 'maxMemoryMb must be between 1 and 2048' });
});

test('the bounds themselves are allowed', () => {
  new DockerExecutor(policy({ maxCpuSeconds: 300, maxMemoryMb: 4096 }));
  new LocalSandboxExecutor(policy({ maxCpuSeconds: 1, maxMemoryMb: 2048 }));
});

test('verifyPolicy judges any policy', () => {
  const executor = new DockerExecutor(DEFAULT_SANDBOX_POLICY);
  assert.equal(executor.verifyPolicy(DEFAULT_SANDBOX_POLICY), undefined);
  assert.throws(() => executor.verifyPolicy(policy({ maxMemoryMb: 0 })), /maxMemoryMb/);
});

test('the factory wraps what the docker executor says', async () => {
  const factory = new DefaultExecutorFactory();
  await assert.rejects(factory.createDockerExecutor(policy({ maxCpuSeconds: 0 })),
    { message: 'Failed to create Docker executor: maxCpuSeconds must be between 1 and 300' });
  await assert.rejects(factory.createLocalSandbox(policy({ maxCpuSeconds: 0 })),
    { message: 'maxCpuSeconds must be between 1 and 300' });
  assert.ok(await factory.createDockerExecutor(DEFAULT_SANDBOX_POLICY) instanceof DockerExecutor);
  assert.ok(
    await factory.createLocalSandbox(DEFAULT_SANDBOX_POLICY) instanceof LocalSandboxExecutor);
});

test('long output is cut after 8000 code units, and says by how much', () => {
  assert.equal(truncateOutput('x'.repeat(8000)).length, 8000);
  assert.equal(truncateOutput('x'.repeat(8010)),
    `${'x'.repeat(8000)}\n\n... [truncated 10 more characters]`);
  assert.equal(truncateOutput('abc', 2), 'ab\n\n... [truncated 1 more characters]');
});

test('a path is judged by where it leads', () => {
  for (const path of ['a', 'a/../b', './a', '..a', '/absolute/a', '']) {
    assert.equal(validatePath(path, '/absolute'), true, path);
  }
  for (const path of ['..', '../x', 'a/../../x', '/absolutely/a', '/etc/passwd']) {
    assert.equal(validatePath(path, '/absolute'), false, path);
  }
});

test('of an environment only what is harmless is kept', () => {
  assert.deepEqual(sanitizeEnvironment({ PATH: '/bin', LANG: '', API_KEY: 'x' }), { PATH: '/bin' });
});

test('a timeout says how long it was', async () => {
  const kept = setTimeout(() => undefined, 5_000);
  await assert.rejects(createTimeoutPromise(5), { message: 'Execution timeout after 5ms' });
  clearTimeout(kept);
});

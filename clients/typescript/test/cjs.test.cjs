// The package as require() sees it.
const assert = require('node:assert/strict');
const { test } = require('node:test');

const client = require('gantry-client');

test('require() gives what import gives', async () => {
  const imported = await import('gantry-client');
  assert.deepEqual(Object.keys(client).sort(), Object.keys(imported).sort());
});

test('the names of the origin stand under infra, too', () => {
  for (const name of Object.keys(client.infra)) {
    assert.equal(client.infra[name], client[name], name);
  }
});

test('the default policy is the documented one, and can not be changed', () => {
  assert.deepEqual(client.DEFAULT_SANDBOX_POLICY, {
    maxCpuSeconds: 30, maxMemoryMb: 512, networkAccess: 'outbound', filesystemScope: 'workspace',
  });
  assert.ok(Object.isFrozen(client.DEFAULT_SANDBOX_POLICY));
});

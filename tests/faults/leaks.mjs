// Many executions, one after the other on a few clients: no container, volume or descriptor is
// left, and memory does not grow. The first tenth warms caches up and is not counted.
import assert from 'node:assert/strict';
import { Server, pause, volumes } from './server.mjs';

const count = Number(process.argv[2] ?? 40);
const clients = 2;
const rss_drift_max_kib = 2048;
const warm_up = Math.max(20, Math.floor(count / 10));
const program = { language: 'sh', image: 'gantry/sh:latest', source: 'echo hello' };

async function run(server, times) {
  let left = times;
  const client = async () => {
    while (left-- > 0) {
      const { status, body } = await server.api('POST', '/api/v1/executions?wait=true', program);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.verdict, 'ok', JSON.stringify(body));
      assert.equal(body.stdout, 'hello\n');
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await pause(1000);
}

/** What the server uses; each container that waits in its pool holds a descriptor. */
async function used(server) {
  const { status, body } = await server.api('GET', '/api/v1/pools');
  assert.equal(status, 200, JSON.stringify(body));
  const waiting = body.items.reduce((sum, pool) => sum + pool.ready, 0);
  return { ...server.usage(), waiting, volumes: await volumes() };
}

const server = new Server();
await server.start();
await run(server, warm_up);
const before = await used(server);
const began = performance.now();
await run(server, count);
const seconds = (performance.now() - began) / 1000;
const after = await used(server);
await server.stop('SIGTERM');
const containers = await server.containers();
server.remove_data();

console.log(`${count} executions in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(2)}/s)`);
console.log(`containers left ${containers.length}; volumes ${before.volumes.length} -> `
  + `${after.volumes.length}; descriptors ${before.descriptors} -> ${after.descriptors}, `
  + `of which ${before.waiting} -> ${after.waiting} of waiting containers; RSS ${before.rss_kib} -> ${after.rss_kib} KiB`);
assert.equal(containers.length, 0);
assert.deepEqual(after.volumes, before.volumes);
assert.ok(after.descriptors - after.waiting <= before.descriptors - before.waiting + 1);
// The sanitizers keep freed memory in quarantine: only the release build's memory tells.
if (!process.env.GANTRY_BIN.includes('/dev/')) {
  assert.ok(after.rss_kib - before.rss_kib < rss_drift_max_kib);
}

// Many executions, one after the other on a few clients: no container, volume or descriptor is
// left, and memory does not grow. The first tenth warms caches up and is not counted.
import assert from 'node:assert/strict';
import { Server, pause, until, volumes } from './server.mjs';

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
}

/** What the server uses; each container that waits in its pool holds a descriptor. */
async function used(server) {
  const { status, body } = await server.api('GET', '/api/v1/pools');
  assert.equal(status, 200, JSON.stringify(body));
  const waiting = body.items.reduce((sum, pool) => sum + pool.ready, 0);
  return { ...server.usage(), waiting, volumes: await volumes() };
}

/** What it uses once it has come to rest: connections to the engine are kept for a while, and the
 * pool is filled behind the last program. What is leaked stays, however long one waits. */
async function used_at_rest(server, no_more_than) {
  let seen = null;
  return until('it uses no more than before', async () => {
    const last = seen;
    await pause(1000);
    seen = await used(server);
    return last?.descriptors === seen.descriptors && last.waiting === seen.waiting
      && no_more_than(seen) && seen;
  });
}

const own = ({ descriptors, waiting }) => descriptors - waiting;

const server = new Server();
await server.start();
await run(server, warm_up);
const before = await used_at_rest(server, () => true);
const began = performance.now();
await run(server, count);
const seconds = (performance.now() - began) / 1000;
const after = await used_at_rest(server, (seen) => own(seen) <= own(before) + 1);
await server.stop('SIGTERM');
const containers = await server.containers();
server.remove_data();

console.log(`${count} executions in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(2)}/s)`);
console.log(`containers left ${containers.length}; volumes ${before.volumes.length} -> `
  + `${after.volumes.length}; descriptors ${before.descriptors} -> ${after.descriptors}, `
  + `of which ${before.waiting} -> ${after.waiting} of waiting containers; RSS ${before.rss_kib} -> ${after.rss_kib} KiB`);
assert.equal(containers.length, 0);
assert.deepEqual(after.volumes.filter((name) => !before.volumes.includes(name)), []);
// The sanitizers keep freed memory in quarantine: only the release build's memory tells.
if (!process.env.GANTRY_BIN.includes('/dev/')) {
  assert.ok(after.rss_kib - before.rss_kib < rss_drift_max_kib);
}

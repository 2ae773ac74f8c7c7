// SIGKILL at random moments under load: every acknowledged execution ends in exactly one verdict
// after the restart, and no labelled container is left after a minute.
import assert from 'node:assert/strict';
import { Server, pause, until } from './server.mjs';

const cycles = Number(process.argv[2] ?? 4);
const clients = 4;
const longest_life_ms = 1500;
const program = { language: 'sh', image: 'gantry/sh:latest', source: 'sleep 0.2; echo done' };

/** Submits until the server is gone; answers the ids it acknowledged, and verdicts it told. */
async function load(server, acknowledged, told) {
  for (;;) {
    try {
      const { status, body } = await server.api('POST', '/api/v1/executions', program);
      if (status !== 202) {
        await pause(20);
        continue;
      }
      acknowledged.add(body.id);
      const seen = await server.api('GET', `/api/v1/executions/${body.id}`);
      if (seen.status === 200 && seen.body.verdict) told.set(body.id, seen.body.verdict);
      await pause(Math.random() * 100);
    } catch {
      return;
    }
  }
}

function verdict_of(server, id) {
  return until(`a verdict of execution ${id}`, async () => {
    const { status, body } = await server.api('GET', `/api/v1/executions/${id}`);
    assert.equal(status, 200, `execution ${id} was acknowledged and is unknown`);
    return body.state === 'finished' && body.verdict;
  });
}

const server = new Server();
const acknowledged = new Set();
const told = new Map();
let longest_restart_ms = 0;
for (let cycle = 1; cycle <= cycles; ++cycle) {
  const began = performance.now();
  await server.start();
  if (cycle > 1) longest_restart_ms = Math.max(longest_restart_ms, performance.now() - began);
  const before = acknowledged.size;
  const loads = Array.from({ length: clients }, () => load(server, acknowledged, told));
  await until('a program is acknowledged', () => acknowledged.size > before);
  await pause(100 + Math.random() * longest_life_ms);
  await server.stop('SIGKILL');
  await Promise.all(loads);
}

// Containers carry whole seconds: what waits for programs of the last server is younger than this.
await pause(1000);
const last_start = Math.floor(Date.now() / 1000);
await server.start();
const left_behind = async () =>
  (await server.containers()).filter(({ Created }) => Created < last_start);
const counts = {};
for (const id of acknowledged) {
  const verdict = await verdict_of(server, id);
  counts[verdict] = (counts[verdict] ?? 0) + 1;
  if (told.has(id)) assert.equal(verdict, told.get(id), `execution ${id} changed its verdict`);
}
const waited_since = Date.now();
let left = await left_behind();
while (left.length > 0 && Date.now() - waited_since < 60_000) {
  await pause(500);
  left = await left_behind();
}
await server.stop('SIGTERM');
const after_stop = await server.containers();
server.remove_data();
console.log(`${cycles} kills, ${acknowledged.size} acknowledged, verdicts ${JSON.stringify(counts)}`);
console.log(`slowest restart ${Math.round(longest_restart_ms)} ms; containers left: ${left.length}`
  + ` after ${Math.round((Date.now() - waited_since) / 1000)} s`);
assert.ok(acknowledged.size >= cycles, 'the load was too small to prove anything');
assert.equal(left.length, 0);
assert.equal(after_stop.length, 0);

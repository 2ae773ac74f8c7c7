// An engine that is killed, or restarted in order, in the middle of runs: each execution gets one
// verdict and keeps it, nothing is left on the engine, and the pool fills again.
import assert from 'node:assert/strict';
import http from 'node:http';
import { OwnEngine, cause_against } from './own_engine.mjs';
import { Server, pause, socket, until as until_within } from './server.mjs';

const cycles = Number(process.argv[2] ?? 1);
const at_once = 8; // twice as many as run, so that some wait
const patience_ms = 240_000;  // only so that a test that fails ends
const image = 'gantry/sh:latest';
const program = (source) => ({ language: 'sh', image, source });

const until = (what, look) => until_within(what, look, patience_ms);

const cause = cause_against();
if (cause !== '') {
  assert.ok(!process.env.CI, cause);
  console.log(`SKIPPED: ${cause}`);
  process.exit(0);
}

/** The names of all events of an execution, to their end. */
function events(server, id) {
  return new Promise((done, failed) => {
    const path = `/api/v1/executions/${id}/events`;
    const headers = { authorization: `Bearer ${server.token}` };
    http.get({ host: '127.0.0.1', port: server.port, path, headers }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('error', failed);
      answer.on('end', () => done([...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1])));
    }).on('error', failed);
  });
}

async function execution(server, id) {
  const { status, body } = await server.api('GET', `/api/v1/executions/${id}`);
  assert.equal(status, 200, `execution ${id} was acknowledged and is unknown`);
  return body;
}

/** Submits, hurts the engine while some of it runs, and answers the verdicts. */
async function one_cycle(server, engine, signal) {
  const ids = [];
  for (let i = 0; i < at_once; ++i) {
    const { status, body } = await server.api('POST', '/api/v1/executions',
      program('sleep 2; echo done'));
    assert.equal(status, 202, JSON.stringify(body));
    ids.push(body.id);
  }
  const followed = ids.map((id) => events(server, id));
  await until('a program runs', async () => {
    const states = await Promise.all(ids.map((id) => execution(server, id)));
    return states.some(({ state }) => state === 'running');
  });
  await pause(500);
  await engine.end(signal);
  await pause(1000);
  await engine.start();
  const verdicts = [];
  for (const id of ids) {
    const ended = await until(`a verdict of ${id}`, async () => {
      const seen = await execution(server, id);
      return seen.state === 'finished' && seen;
    });
    assert.ok(['ok', 'infrastructure_error'].includes(ended.verdict), JSON.stringify(ended));
    if (ended.verdict === 'ok') assert.equal(ended.stdout, 'done\n');
    else assert.ok(ended.error_code, `no code: ${ended.message}`);
    verdicts.push(ended.verdict);
  }
  for (const names of await Promise.all(followed)) {
    assert.equal(names.filter((name) => name === 'verdict').length, 1, names.join());
    assert.equal(names.at(-1), 'verdict');
  }
  await until('programs run again', async () => {
    const { body } = await server.api('POST', '/api/v1/executions?wait=true',
      program('echo again'));
    return body.verdict === 'ok' && body.stdout === 'again\n';
  });
  for (let i = 0; i < ids.length; ++i) {
    assert.equal((await execution(server, ids[i])).verdict, verdicts[i], 'a verdict changed');
  }
  return verdicts;
}

const engine = new OwnEngine();
const server = new Server(engine.socket);
try {
  await engine.start();
  await engine.take_image(socket, image);
  await server.start();
  const counts = {};
  for (let cycle = 0; cycle < cycles; ++cycle) {
    for (const signal of ['KILL', 'TERM']) {
      const ended = Math.floor(Date.now() / 1000);
      for (const verdict of await one_cycle(server, engine, signal)) {
        const key = `${signal} ${verdict}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
      // What waits for programs now was made after the engine had come back.
      await until('nothing is left', async () =>
        (await server.containers()).every(({ Created, State }) =>
          Created > ended && State === 'running'));
      await until('the pool is full again', async () => {
        const { body } = await server.api('GET', '/api/v1/pools');
        return body.items.some(({ ready }) => ready > 0);
      });
    }
  }
  await server.stop('SIGTERM');
  const left = await server.containers();
  console.log(`${cycles} times killed and restarted: ${JSON.stringify(counts)}; `
    + `containers left ${left.length}`);
  assert.equal(left.length, 0);
} catch (error) {
  console.error(server.log);
  throw error;
} finally {
  if (server.process?.exitCode === null) await server.stop('SIGKILL');
  await engine.remove();
  server.remove_data();
}

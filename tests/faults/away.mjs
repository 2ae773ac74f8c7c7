// A host of the fleet whose engine is restarted under commands, terminals and followed logs, and one
// whose engine hangs: what was lost is told, a log goes on where it was, other hosts notice nothing.
import assert from 'node:assert/strict';
import { OwnEngine, cause_against } from './own_engine.mjs';
import { Server, pause, socket, until as until_within } from './server.mjs';

const patience_ms = 240_000;
const until = (what, look) => until_within(what, look, patience_ms);
const image = 'gantry/sh:latest';

const cause = cause_against();
if (cause !== '') {
  assert.ok(!process.env.CI, cause);
  console.log(`SKIPPED: ${cause}`);
  process.exit(0);
}

const engine = new OwnEngine();
const server = new Server();
const made = [];

async function ask(method, path, body) {
  const { status, body: answer } = await server.api(method, `/api/v1${path}`, body);
  assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

async function container(host, script) {
  const { id } = await ask('POST', `/hosts/${host}/containers`,
    { image, network: 'none', entrypoint: ['sh', '-c', script] });
  made.push(`/hosts/${host}/containers/${id}`);
  return `/hosts/${host}/containers/${id}`;
}

const state = async (host) => (await ask('GET', `/hosts/${host}`)).state;
const until_state = (host, wanted) => until(`${host} is ${wanted}`, async () =>
  (await state(host)) === wanted);

/** Follows a log as a browser does: comes back with the id of the last event, whatever ends it. */
class Follower {
  text = '';
  ends = [];
  #last = '';
  #done = new AbortController();

  constructor(path) {
    this.path = path;
    this.#go();
  }

  async #go() {
    while (!this.#done.signal.aborted) {
      try {
        await this.#once();
      } catch (error) {
        this.ends.push(String(error));
      }
      await pause(200);
    }
  }

  async #once() {
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1${this.path}`, {
      signal: this.#done.signal, headers: { authorization: `Bearer ${server.token}`,
        accept: 'text/event-stream', ...(this.#last && { 'last-event-id': this.#last }) } });
    if (answer.status !== 200) return this.ends.push(`${answer.status}`);
    let rest = '';
    for await (const piece of answer.body) {
      const frames = (rest + Buffer.from(piece).toString()).split('\n\n');
      rest = frames.pop();
      for (const frame of frames) this.#read(frame);
    }
  }

  #read(frame) {
    const name = /^event: (.*)$/m.exec(frame)?.[1];
    if (!name) return;
    this.#last = /^id: (.*)$/m.exec(frame)?.[1] ?? this.#last;
    const data = JSON.parse(/^data: (.*)$/m.exec(frame)[1]);
    if (name === 'stdout') this.text += data.text;
    else this.ends.push(`${name} ${data.code ?? data.reason ?? ''}`);
  }

  lines = () => this.text.split('\n').slice(0, -1);
  stop = () => this.#done.abort();
}

function screen({ id, ticket }) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/v1/terminals/${id}`,
    { headers: { authorization: `Bearer ${server.token}` } });
  socket.onopen = () => socket.send(JSON.stringify({ type: 'attach', ticket }));
  let ended = null;
  socket.onmessage = ({ data }) => {
    const message = typeof data === 'string' ? JSON.parse(data) : {};
    if (message.type === 'ended') ended = message;
  };
  return new Promise((done) => (socket.onclose = () => done(ended)));
}

/** F10: the engine is killed and comes back; its containers go on meanwhile (live restore). */
async function restarted() {
  const path = await container('own',
    'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done');
  const follower = new Follower(`${path}/logs?follow=true&tail=all&stream=stdout`);
  await until('the first lines', () => follower.lines().length > 20);
  const command = server.api('POST', `/api/v1${path}/exec`, { command: ['sleep', '600'],
    timeout_ms: 600_000 });
  const shown = screen(await ask('POST', `${path}/terminals`, { columns: 80, rows: 24 }));
  await until('the command runs', async () =>
    (await ask('GET', `${path}/top`)).rows.flat().some((cell) => cell.includes('sleep 600')));
  await engine.end('KILL');

  // What was going on is told as lost, and not as ended well.
  const { status, body: lost } = await command;
  assert.ok(status >= 500 || lost.process === 'may_live_on', `${status} ${JSON.stringify(lost)}`);
  const over = await shown;
  assert.equal(over.reason, 'connection_lost', JSON.stringify(over));
  assert.equal(over.process, 'may_live_on');
  await until_state('own', 'unreachable');
  const { items, hosts } = await ask('GET', '/containers?host=own');
  assert.ok(items.some(({ id }) => path.endsWith(id)), 'its last view is kept');
  assert.equal(hosts.find(({ name }) => name === 'own').stale, true);
  assert.equal(await state('local'), 'connected');

  await engine.start('--live-restore');
  await until_state('own', 'connected');
  const before = follower.lines().length;
  await until('the log goes on', () => follower.lines().length > before + 20);
  follower.stop();
  assert.ok(follower.ends.some((end) => end.startsWith('error ')), follower.ends.join('; '));
  follower.lines().forEach((line, i) => assert.equal(line, `line ${i + 1}`));
  return follower.lines().length;
}

/** F11: the engine does not answer any more, and says nothing. */
async function hung() {
  const path = await container('local', 'while :; do sleep 0.1; done');
  const other = await container('own', 'while :; do sleep 0.1; done');
  engine.signal('STOP');
  try {
    // Asked while nobody knows yet, and many at once: none of it keeps others from their turn.
    const asked = Promise.allSettled(Array.from({ length: 40 }, () =>
      server.api('GET', `/api/v1${other}/top`)));
    for (let i = 0; i < 20; ++i) {
      const ended = await ask('POST', `${path}/exec`, { command: ['echo', `${i}`] });
      assert.equal(ended.stdout, `${i}\n`);
    }
    assert.equal(await state('local'), 'connected');
    await until_state('own', 'unreachable');
    const { error } = await ask('GET', '/hosts/own');
    assert.ok(error.detail && error.remedy, JSON.stringify(error));
    const { items } = await ask('GET', '/containers?host=own');
    assert.ok(items.length > 0, 'its last view is kept');
    assert.equal((await ask('POST', `${path}/exec`, { command: ['true'] })).exit_code, 0);
    engine.signal('CONT');
    for (const { value } of await asked) assert.ok(value?.status >= 200, JSON.stringify(value));
  } finally {
    engine.signal('CONT');
  }
  await until_state('own', 'connected');
  assert.ok((await ask('GET', `${other}/top`)).rows.length > 0);
}

const remove_made = async () => {
  for (const path of made.splice(0)) await ask('DELETE', `${path}?force=true`);
};

/** After a failure: without live restore the engine's containers end with it. */
async function end_containers() {
  try {
    engine.signal('CONT');
    await engine.end('TERM');
  } catch {
    // It had ended.
  }
  await engine.start();
}

try {
  await engine.start('--live-restore');
  await engine.take_image(socket, image);
  await server.start();
  await ask('POST', '/hosts', { name: 'own', endpoint: engine.endpoint });
  await until_state('own', 'connected');
  const lines = await restarted();
  await hung();
  await remove_made();
  await server.stop('SIGTERM');
  console.log(`an engine killed under a log of ${lines} lines, and one that hung`);
} catch (error) {
  console.error(server.log);
  await end_containers();
  await until_state('own', 'connected').then(remove_made).catch(() => {});
  throw error;
} finally {
  if (server.process?.exitCode === null) await server.stop('SIGKILL');
  await engine.remove();
  server.remove_data();
}

// Signals to a server while others are connected: SIGTERM ends their streams in order and soon, a
// second one ends the server at once, SIGHUP never ends it.
import assert from 'node:assert/strict';
import { Server, until } from './server.mjs';

const patience_ms = 180_000;
const image = 'gantry/sh:latest';
const service_restart = 1012;

/** What must come by itself, and soon enough. */
function within(what, promise) {
  let timer;
  const late = new Promise((_, failed) => {
    timer = setTimeout(() => failed(new Error(`${what}: not within ${patience_ms} ms`)), patience_ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const server = new Server();
const url = (path) => `127.0.0.1:${server.port}/api/v1${path}`;
const authorized = (more) => ({ headers: { authorization: `Bearer ${server.token}`, ...more } });
const created = [];

async function ask(method, path, body) {
  const { status, body: answer } = await server.api(method, `/api/v1${path}`, body);
  assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

async function container() {
  const { id } = await ask('POST', '/hosts/local/containers', { image, network: 'none',
    entrypoint: ['sh', '-c', 'trap exit TERM; while :; do echo tick; sleep 0.1; done'] });
  created.push(id);
  return id;
}

/** A stream of events: `begun` resolves at its first bytes, `ended` with all of it. */
function stream(path) {
  let text = '';
  const answer = fetch(`http://${url(path)}`, authorized({ accept: 'text/event-stream' }));
  const ended = (async () => {
    for await (const piece of (await answer).body) text += Buffer.from(piece).toString();
    return text;
  })();
  ended.catch(() => {});
  return { begun: until(`something of ${path}`, () => text !== ''), ended };
}

/** A WebSocket: `begun` resolves at the first message, `ended` with the close code. */
function channel(path, first) {
  const socket = new WebSocket(`ws://${url(path)}`, authorized());
  let heard = false;
  socket.onopen = () => socket.send(JSON.stringify(first));
  socket.onmessage = () => (heard = true);
  const ended = new Promise((done) => (socket.onclose = ({ code, wasClean }) =>
    done({ code, wasClean })));
  return { begun: until(`something of ${path}`, () => heard), ended };
}

async function stopped_during_streams() {
  const id = await container();
  const terminal = await ask('POST', `/hosts/local/containers/${id}/terminals`,
    { columns: 80, rows: 24 });
  const streams = [stream(`/hosts/local/containers/${id}/logs?follow=true`),
    stream(`/hosts/local/containers/${id}/stats`), stream('/events')];
  const channels = [
    channel(`/terminals/${terminal.id}`, { type: 'attach', ticket: terminal.ticket }),
    channel('/live', { subscribe: 'containers' })];
  await Promise.all([...streams, ...channels].map(({ begun }) => begun));
  server.process.kill('SIGTERM');
  // A stream that is cut in its midst would be a failure of its reader.
  for (const { ended } of streams) {
    assert.notEqual(await within('the end of a stream', ended), '');
  }
  for (const { ended } of channels) {
    assert.deepEqual(await within('the end of a channel', ended),
      { code: service_restart, wasClean: true });
  }
  await within('the end of the server', server.exited);
  assert.equal(server.process.exitCode, 0, server.log);
}

async function stopped_twice() {
  const { id } = await ask('POST', '/executions', { language: 'sh', image, source: 'sleep 600' });
  await until('the program runs', async () => (await ask('GET', `/executions/${id}`)).state === 'running');
  server.process.kill('SIGTERM');
  await until('it is stopping', () => server.log.includes('stopping: asked to terminate'));
  // It waits for the program now; not so for who asks again.
  server.process.kill('SIGTERM');
  await within('the end of the server', server.exited);
  assert.equal(server.process.signalCode, 'SIGTERM', server.log);
}

async function told_to_look_again() {
  server.process.kill('SIGHUP');
  await until('it says so', () => server.log.includes('asked to look again (SIGHUP)'));
  await ask('GET', '/system');
}

try {
  await server.start();
  await stopped_during_streams();
  await server.start();
  await told_to_look_again();
  await stopped_twice();
  await server.start();
  for (const id of created) await ask('DELETE', `/hosts/local/containers/${id}?force=true`);
  await server.stop('SIGTERM');
  assert.equal((await server.containers()).length, 0);
  console.log('signals: streams ended in order, a second SIGTERM at once, SIGHUP survived');
} catch (error) {
  console.error(server.log);
  for (const id of created) {
    const path = `/api/v1/hosts/local/containers/${id}?force=true`;
    await server.api('DELETE', path).catch(() => {});  // where it runs
  }
  throw error;
} finally {
  if (server.process?.exitCode === null) await server.stop('SIGKILL');
  server.remove_data();
}

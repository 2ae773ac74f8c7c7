// Following a program behind a proxy that cuts streams, to a server that starts anew.
import assert from 'node:assert/strict';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ConnectionError, GantryClient } from 'gantry-client';

import { Server } from '../../../tests/faults/server.mjs';
import { Told } from '../dist/esm/told.js';

const prefix = '/tools/gantry';
const server = new Server();
/** After how many bytes each of the next event streams is cut off. */
let cuts = [];
/** So many of the next requests about an execution are refused as too many. */
let refusals = 0;
let client;
let proxy;

/** Passes on what comes below the prefix; 502 while the server is not there. */
function pass_on(request, answer) {
  const path = request.url.slice(prefix.length);
  if (request.method === 'GET' && path.startsWith('/api/v1/executions/') && refusals > 0) {
    refusals -= 1;
    answer.writeHead(429, { 'retry-after': '1', 'content-type': 'application/problem+json' });
    answer.end(JSON.stringify({ code: 'server_full', detail: 'not now' }));
    return;
  }
  const cut = path.endsWith('/events') ? cuts.shift() : undefined;
  const onward = http.request({
    host: '127.0.0.1', port: server.port, path, method: request.method,
    headers: { ...request.headers, host: `127.0.0.1:${server.port}` },
  }, (found) => {
    answer.writeHead(found.statusCode, found.headers);
    let left = cut ?? Infinity;
    found.on('data', (piece) => {
      answer.write(piece.subarray(0, left));
      left -= piece.length;
      if (left <= 0) answer.destroy();
    });
    found.on('end', () => answer.end());
    found.on('error', () => answer.destroy());
  });
  onward.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
  request.pipe(onward);
}

before(async () => {
  await server.start();
  proxy = http.createServer(pass_on).listen(0, '127.0.0.1');
  await new Promise((done) => proxy.on('listening', done));
  client = new GantryClient({
    baseUrl: `http://127.0.0.1:${proxy.address().port}${prefix}/`,
    tokenFile: join(server.data, 'local.token'),
  });
});
after(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await server.stop('SIGTERM');
  server.remove_data();
});

const bytes_of = ({ text, base64 }) =>
  (base64 === undefined ? Buffer.from(text) : Buffer.from(base64, 'base64'));

/** Runs a program; answers with it and what was told of each kind. */
async function run(source, on_event = () => undefined) {
  const told = { states: [], progress: [], stdout: [], stderr: [], verdicts: 0 };
  const execution = await client.run({ language: 'python', source }, {
    onEvent: (event) => {
      if (event.type === 'state') told.states.push(event.data.state);
      if (event.type === 'progress') told.progress.push(event.data.message);
      if (event.type === 'verdict') told.verdicts += 1;
      if (event.type.startsWith('std')) told[event.type].push(bytes_of(event.data));
      on_event(event);
    },
  });
  return { execution, told };
}

test('what a cut stream did not tell is told by the next one, and nothing twice', async () => {
  const source = `
import sys, time
for n in range(30):
    sys.stdout.write(f"{n}: 中文 émigré 🙂\\n"); sys.stdout.flush()
    sys.stderr.write(f"({n})"); sys.stderr.flush()
    time.sleep(0.03)
`;
  cuts = [300, 700, 1500, 1501];
  const { execution, told } = await run(source);
  assert.equal(cuts.length, 0, 'not every cut was made');
  assert.equal(execution.verdict, 'ok');
  assert.equal(Buffer.concat(told.stdout).toString(), execution.stdout);
  assert.equal(Buffer.concat(told.stderr).toString(), execution.stderr);
  assert.equal(execution.stdout.split('\n').length, 31);
  assert.deepEqual(told.states.filter((state) => state === 'running'), ['running']);
  assert.equal(told.verdicts, 1);
});

test('bytes that are no text are resumed, too', async () => {
  const source = `
import os, time
for n in range(20):
    os.write(1, bytes([255, 228, n])); time.sleep(0.03)
`;
  cuts = [250, 500];
  const { execution, told } = await run(source);
  assert.equal(execution.encoding, 'base64');
  assert.equal(Buffer.concat(told.stdout).toString('base64'), execution.stdout);
});

test('a server that is busy for a moment is asked again', async () => {
  refusals = 3;
  const { execution, told } = await run('print(7)');
  assert.equal(refusals, 0, 'nothing was refused');
  assert.equal(execution.verdict, 'ok');
  assert.equal(Buffer.concat(told.stdout).toString(), '7\n');
  assert.equal(told.verdicts, 1);
});

test('an error of the listener ends the run as it is', async () => {
  const mine = new Error('mine');
  const ended = run('print(1)', () => {
    throw mine;
  });
  assert.equal(await ended.catch((error) => error), mine);
});

test('a server that starts again tells how it ended', async () => {
  let restarted;
  const { execution, told } = await run('import time; print("on", flush=True); time.sleep(60)',
    (event) => {
      if (event.type !== 'stdout') return;
      // Its output may come in pieces.
      restarted ??= server.stop('SIGTERM').then(() => server.start());
    });
  await restarted;
  assert.equal(execution.verdict, 'cancelled');
  assert.equal(Buffer.concat(told.stdout).toString(), execution.stdout);
  assert.match(execution.stdout, /^on/);
  assert.equal(told.verdicts, 1);
});

test('a proxy whose server is away is no server', async () => {
  const { port } = server;
  server.port = 1;
  const error = await client.system().catch((caught) => caught);
  server.port = port;
  assert.ok(error instanceof ConnectionError, String(error));
  assert.equal(error.where, 'server');
  assert.equal(error.code, 'http_502');
});

test('output that is cut elsewhere the second time goes on where it was', () => {
  const told = new Told();
  const all = (stream, pieces) => pieces.map((data) => stream({ type: 'stdout', data }))
    .filter((event) => event).map((event) => event.data);
  assert.deepEqual(all(told.stream(), [{ text: 'aé' }, { base64: '/w==' }]),
    [{ text: 'aé' }, { base64: '/w==' }]);
  assert.deepEqual(all(told.stream(), [{ base64: Buffer.from('aé').toString('base64') }]), []);
  const next = Buffer.concat([Buffer.from('aé'), Buffer.from([255]), Buffer.from('b')]);
  assert.deepEqual(all(told.stream(), [{ base64: next.toString('base64') }, { text: 'c' }]),
    [{ text: 'b' }, { text: 'c' }]);
  const compiled = { text: 'aéxyz', stage: 'compile' };
  assert.deepEqual(all(told.stream(), [compiled]), [compiled]);
});

// The token that a server leaves for its own user is shown to that server, and to nobody else.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { GantryClient } from 'gantry-client';

const data = mkdtempSync(join(tmpdir(), 'gantry-client-'));
const folder = join(data, 'gantry');
let server;
let port;
let heard = [];

before(async () => {
  process.env.XDG_DATA_HOME = data;
  for (const name of ['GANTRY_TOKEN', 'GANTRY_TOKEN_FILE']) delete process.env[name];
  mkdirSync(folder);
  writeFileSync(join(folder, 'local.token'), 'secret\n');
  server = http.createServer((request, answer) => {
    heard.push(request.headers.authorization);
    answer.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((done) => server.on('listening', done));
  port = server.address().port;
});
after(() => {
  server.close();
  server.closeAllConnections?.();
  rmSync(data, { recursive: true, force: true });
});

/** What is shown to who is asked by that name, while a server has left these addresses. */
async function shown(name, addresses) {
  writeFileSync(join(folder, 'local.addresses'), addresses);
  heard = [];
  await new GantryClient({ baseUrl: `http://${name}:${port}` }).system();
  return heard;
}

test('the local token is shown where its server listens', async () => {
  const listed = `http://10.0.0.7:${port}\nhttp://127.0.0.1:${port}\n`;
  assert.deepEqual(await shown('127.0.0.1', listed), ['Bearer secret']);
  assert.deepEqual(await shown('localhost', listed), ['Bearer secret']);
});

test('the local token is shown to nobody else', async () => {
  assert.deepEqual(await shown('127.0.0.1', 'http://127.0.0.1:1\n'), [undefined]);
  assert.deepEqual(await shown('127.0.0.1', `http://[::1]:${port}\n`), [undefined]);
  assert.deepEqual(await shown('127.0.0.1', `http://127.0.0.1.example.org:${port}\n`), [undefined]);
  assert.deepEqual(await shown('127.0.0.1', ''), [undefined]);
});

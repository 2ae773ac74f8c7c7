// The token that a server leaves for its own user goes to that server, and to nobody else.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { Server, folder } from './place.mjs';

/** `gantry WORDS`, while this process goes on: {status, said}. */
function asked(...words) {
  return new Promise((done) => {
    const child = spawn(process.env.GANTRY_BIN, words, { env: { PATH: process.env.PATH } });
    let said = '';
    child.stdout.on('data', (piece) => (said += piece));
    child.stderr.on('data', (piece) => (said += piece));
    child.on('close', (status) => done({ status, said }));
  });
}

test('the local token goes to the server that wrote it alone', async () => {
  const data = folder();
  const addresses = join(data, 'local.addresses');
  const server = new Server(data);
  await server.start();
  const url = `http://127.0.0.1:${server.port}`;
  assert.equal(readFileSync(addresses, 'utf8'), `${url}\n`);
  assert.equal(statSync(addresses).mode & 0o777, 0o600);

  // Without an address it is found, whatever its port, and by either name of loopback.
  for (const words of [[], ['--server', url], ['--server', `http://localhost:${server.port}`]]) {
    const found = await asked('hosts', 'list', '--data-dir', data, ...words);
    assert.equal(found.status, 0, found.said);
  }

  const heard = [];
  const stranger = http.createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.writeHead(401, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise((done) => stranger.listen(0, '127.0.0.1', done));
  const elsewhere = ['hosts', 'list', '--data-dir', data, '--server',
    `http://127.0.0.1:${stranger.address().port}`];
  const refused = await asked(...elsewhere);
  assert.notEqual(refused.status, 0);
  assert.match(refused.said, /was not sent to/);
  assert.ok(refused.said.includes(`--server ${url}`), refused.said);
  // What is given goes where it is said.
  await asked(...elsewhere, '--token-file', join(data, 'local.token'));
  assert.deepEqual(heard, [undefined, `Bearer ${server.token}`]);
  stranger.close();

  await server.stop();
  assert.equal(existsSync(addresses), false);
  // One that was killed leaves its addresses; the next one says its own.
  writeFileSync(addresses, 'http://127.0.0.1:1\n');
  await server.start();
  assert.equal(readFileSync(addresses, 'utf8'), `http://127.0.0.1:${server.port}\n`);
  await server.stop();
});

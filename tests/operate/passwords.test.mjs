// A password that is given to the command line is the one that its owner signs in with.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Server, folder, gantry } from './place.mjs';

test('a password is the first line of a file, or of standard input', async () => {
  const data = folder();
  const server = new Server(data);
  await server.start();
  const file = join(data, 'password');
  writeFileSync(file, 'battery staple\n');
  const place = ['--server', `http://127.0.0.1:${server.port}`, '--data-dir', data];
  const first = gantry('users', 'add', 'ben', ...place, '--password', file);
  assert.equal(first.status, 0, first.err);
  const second = spawnSync(process.env.GANTRY_BIN, ['users', 'add', 'eve', ...place, '--password', '-'],
    { encoding: 'utf8', input: 'battery staple\n', env: { PATH: process.env.PATH } });
  assert.equal(second.status, 0, second.stderr);
  for (const name of ['ben', 'eve']) {
    const signed_in = await server.api('POST', '/api/v1/sessions', { name, password: 'battery staple' },
      { authorization: '', origin: `http://127.0.0.1:${server.port}` });
    assert.ok(signed_in.status < 300, JSON.stringify(signed_in.body));
  }
  await server.stop();
});

// The examples of docs/fronts/typescript.md and of the README, run as they stand there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Server } from '../../../tests/faults/server.mjs';

const pages = ['../../../docs/fronts/typescript.md', '../README.md'];
const text = pages.map((page) => readFileSync(new URL(page, import.meta.url), 'utf8')).join('');
const examples = [...text.matchAll(/```(?:java|type)script\n(.*?)```/gs)]
  .map((match) => match[1])
  .filter((code) => code.startsWith('import'));
const outputs = [/^Hello, World!\n0\n/, /^hello docker\n/, /^ok 42\n/, /^true \d+\.\S+\ntrue\n/,
  /^made\nrunning local\n$/, /^local \w+\n42\n$/];
const server = new Server();

before(() => server.start());
after(async () => {
  await server.stop('SIGTERM');
  server.remove_data();
});

function output_of(code) {
  const child = spawn(process.execPath, ['--input-type=module'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: {
      ...process.env,
      GANTRY_SERVER: `http://127.0.0.1:${server.port}`,
      GANTRY_TOKEN: server.token,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (piece) => (said += piece));
  child.stdin.end(code);
  return new Promise((done) => child.on('close', () => done(said)));
}

test('every example is known here', () => assert.equal(examples.length, outputs.length));

examples.forEach((code, at) => {
  test(`example ${at + 1} says what it says`, async () => {
    assert.match(await output_of(code), outputs[at]);
  });
});

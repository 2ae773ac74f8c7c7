// A disk that is full for a while, under the server's data: what was acknowledged gets its one
// verdict when there is room again, new programs are refused meanwhile, and the server goes on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Server, pause } from './server.mjs';

const disk = '24m';
const at_once = 8; // twice as many as run, so that some wait
const full_for_ms = 4000;
const verdict_max_ms = 180_000;
const program = { language: 'sh', image: 'gantry/sh:latest', source: 'sleep 1; echo done' };
const sudo = process.getuid() === 0 ? [] : ['sudo', '-n'];

function as_root(...words) {
  const [name, ...rest] = [...sudo, ...words];
  execFileSync(name, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Fills the disk to its last byte and answers the file that does. */
function fill(folder) {
  const path = join(folder, 'ballast');
  const file = openSync(path, 'w');
  for (const size of [1 << 20, 4096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
  }
  closeSync(file);
  return path;
}

async function verdict_of(server, id) {
  const deadline = Date.now() + verdict_max_ms;
  for (;;) {
    const { status, body } = await server.api('GET', `/api/v1/executions/${id}`);
    assert.equal(status, 200, JSON.stringify(body));
    if (body.state === 'finished') return body;
    assert.ok(Date.now() < deadline, `execution ${id} has no verdict: ${JSON.stringify(body)}`);
    await pause(100);
  }
}

const server = new Server();
try {
  as_root('mount', '-t', 'tmpfs', '-o',
    `size=${disk},mode=700,uid=${process.getuid()},gid=${process.getgid()}`, 'tmpfs', server.data);
} catch (error) {
  assert.ok(!process.env.CI, error.message);
  console.log('SKIPPED: this user can not mount a small disk');
  server.remove_data();
  process.exit(0);
}
try {
  await server.start();
  const ids = [];
  for (let i = 0; i < at_once; ++i) {
    const { status, body } = await server.api('POST', '/api/v1/executions', program);
    assert.equal(status, 202, JSON.stringify(body));
    ids.push(body.id);
  }
  await pause(300);
  const ballast = fill(server.data);
  const refused = await server.api('POST', '/api/v1/executions', program);
  assert.ok(refused.status >= 400, `a full disk took a program: ${refused.status}`);
  await pause(full_for_ms);
  const healthy = await server.api('GET', '/health');
  assert.equal(healthy.status, 200);
  rmSync(ballast);
  for (const id of ids) {
    const ended = await verdict_of(server, id);
    assert.equal(ended.verdict, 'ok', JSON.stringify(ended));
    assert.equal(ended.stdout, 'done\n');
  }
  const again = await server.api('POST', '/api/v1/executions?wait=true', program);
  assert.equal(again.body.verdict, 'ok', JSON.stringify(again.body));
  await server.stop('SIGTERM');
  const left = await server.containers();
  console.log(`a disk full for ${full_for_ms} ms: all ${ids.length} have their verdict; `
    + `refused with ${refused.status} ${refused.body.code}; containers left ${left.length}`);
  assert.equal(left.length, 0);
} catch (error) {
  console.error(server.log);
  throw error;
} finally {
  if (server.process?.exitCode === null) await server.stop('SIGKILL');
  as_root('umount', '--lazy', server.data);
  server.remove_data();
}

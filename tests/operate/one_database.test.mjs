// One database has one server: a second is refused in plain words, and may begin when the first has
// ended.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { Postgres, Server, folder, postgres_missing } from './place.mjs';

/** `gantry serve` to its end, which must come by itself. */
function refused(...words) {
  const ended = spawnSync(process.env.GANTRY_BIN, ['serve', '--listen', '127.0.0.1:0',
    '--engine', 'unix:///nowhere.sock', ...words], { encoding: 'utf8', timeout: 180_000 });
  assert.equal(ended.signal, null, 'the second server runs');
  assert.notEqual(ended.status, 0, ended.stdout);
  assert.ok(!ended.stdout.includes('is ready on'), ended.stdout);
  return ended.stderr.split('\n').find((line) => line.startsWith('gantry: '));
}

async function beside(data, words, second) {
  const first = new Server(data, ...words);
  await first.start();
  const said = refused(...second, ...words);
  // The first does not notice.
  assert.equal((await first.api('GET', '/api/v1/system')).status, 200);
  await first.stop();
  assert.equal(first.process.exitCode, 0, first.log);
  await first.start();
  await first.stop();
  return said;
}

test('SQLite: a second server of one data directory', async () => {
  const data = folder();
  const said = await beside(data, [], ['--data-dir', data]);
  assert.match(said, /^gantry: cannot use data directory '.*': .* is using it/);
});

test('SQLite: a second server of one file from another data directory', async () => {
  const data = folder();
  const words = ['--database', `sqlite:${data}/shared.db`];
  const said = await beside(data, words, ['--data-dir', folder()]);
  assert.match(said, /^gantry: cannot use database '.*': another program holds it/);
});

test('PostgreSQL: a second server of one database', async (test) => {
  const missing = postgres_missing();
  assert.ok(!missing || !process.env.CI, missing);
  if (missing) return test.skip(missing);
  const postgres = new Postgres();
  await postgres.start();
  try {
    const words = ['--database', postgres.url()];
    const said = await beside(folder(), words, ['--data-dir', folder()]);
    assert.match(said, /^gantry: cannot use database '.*': '.*process \d+.*' .* is using it/);
  } finally {
    await postgres.remove();
  }
});

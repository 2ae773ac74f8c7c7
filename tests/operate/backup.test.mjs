// A server's whole database is copied, restored into the other kind, and copied again.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Postgres, Server, folder, gantry, postgres_missing, until } from './place.mjs';

const skip = process.env.CI ? false : postgres_missing() || false;

/** Every row of a backup, in an order of its own: by table, then as text. */
function rows_of(file) {
  const rows = [];
  let table = '';
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n').slice(1, -1)) {
    if (line.startsWith('{')) table = JSON.parse(line).table;
    else rows.push(`${table} ${line}`);
  }
  return rows.sort();
}

/** A server with something in most tables. */
async function filled() {
  const data = folder();
  const server = new Server(data);
  await server.start();
  await server.create_owner();
  const must = async (...call) => {
    const { status, body } = await server.api(...call);
    assert.ok(status < 300, `${call[1]}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  await must('POST', '/api/v1/users', { name: 'ben', password: 'battery staple', role: 'viewer' });
  await must('POST', '/api/v1/registries', { host: 'ghcr.io', user: 'ann', password: 'hunter2hunter2' });
  await must('POST', '/api/v1/sessions', { name: 'ada', password: 'correct horse' });
  await must('POST', '/api/v1/executions', { language: 'sh', source: 'echo "zwölf 字"' });
  await server.stop();
  return data;
}

test('a backup of SQLite is restored into PostgreSQL, and back', { skip }, async () => {
  const data = await filled();
  const passphrase = join(data, 'passphrase');
  writeFileSync(passphrase, 'correct horse battery\n');
  const first = join(data, 'first.backup');
  const made = gantry('backup', '--data-dir', data, '--passphrase-file', passphrase, first);
  assert.equal(made.status, 0, made.err);
  assert.match(made.out, /rows of \d+ tables from SQLite/);
  const rows = rows_of(first);
  for (const table of ['users', 'sessions', 'registries', 'audit', 'executions', 'hosts']) {
    assert.ok(rows.some((row) => row.startsWith(`${table} `)), `nothing of '${table}' is in it`);
  }

  const postgres = new Postgres();
  await postgres.start();
  try {
    const other = folder();
    const place = ['--data-dir', other, '--database', postgres.url()];
    const restored = gantry('restore', ...place, '--passphrase-file', passphrase, first);
    assert.equal(restored.status, 0, restored.err);
    assert.deepEqual(readFileSync(join(other, 'secret.key')), readFileSync(join(data, 'secret.key')));
    const second = join(data, 'second.backup');
    assert.equal(gantry('backup', ...place, second).status, 0);
    assert.deepEqual(rows_of(second), rows);

    // What was restored is a database that a server runs on, with everybody in it.
    const server = new Server(other, '--database', postgres.url());
    await server.start();
    const users = await server.api('GET', '/api/v1/users');
    assert.deepEqual(users.body.items.map(({ name }) => name).sort(), ['ada', 'ben']);
    const chain = await server.api('GET', '/api/v1/audit/check');
    assert.equal(chain.status, 200, JSON.stringify(chain.body));
    assert.equal((await server.api('GET', '/api/v1/registries')).body.items[0].host, 'ghcr.io');

    // The server of PostgreSQL is restarted under it.
    await postgres.stop();
    const away = await server.api('POST', '/api/v1/users', { name: 'eve', password: 'x'.repeat(12), role: 'viewer' });
    assert.equal(away.status, 503, JSON.stringify(away.body));
    await postgres.start();
    await until(async () => (await server.api('POST', '/api/v1/users',
      { name: 'eve', password: 'x'.repeat(12), role: 'viewer' })).status === 201, 'the database is back');
    await server.stop();

    const refused = gantry('restore', ...place, first);
    assert.equal(refused.status === 0, false);
    assert.match(refused.err, /it is in use.*--force/s);
    assert.equal(gantry('restore', ...place, '--force', first).status, 0);
    const back = folder();
    const third = join(data, 'third.backup');
    assert.equal(gantry('backup', ...place, third).status, 0);
    assert.equal(gantry('restore', '--data-dir', back, third).status, 0);
    assert.equal(gantry('backup', '--data-dir', back, join(data, 'fourth.backup')).status, 0);
    assert.deepEqual(rows_of(join(data, 'fourth.backup')), rows);
  } finally {
    await postgres.remove();
  }
});

test('a running server is copied while it works', async () => {
  const data = await filled();
  const server = new Server(data);
  await server.start();
  const copy = await server.raw('POST', '/api/v1/backups');
  assert.equal(copy.status, 200, copy.text);
  const file = join(data, 'live.backup');
  writeFileSync(file, copy.text);
  await server.stop();
  const target = folder();
  assert.equal(gantry('restore', '--data-dir', target, file).status, 0);
  const again = join(data, 'again.backup');
  assert.equal(gantry('backup', '--data-dir', target, again).status, 0);
  assert.deepEqual(rows_of(again), rows_of(file));
  assert.ok(rows_of(file).some((row) => row.includes('backup.make')));
  assert.deepEqual(readdirSync(data).filter((name) => /part|tmp/.test(name)), []);
});

test('what is no whole backup is refused and changes nothing', async () => {
  const data = await filled();
  const file = join(data, 'gantry.backup');
  assert.equal(gantry('backup', '--data-dir', data, file).status, 0);
  assert.match(gantry('backup', '--data-dir', data, file).err, /it exists/);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length - 20));
  const target = folder();
  assert.match(gantry('restore', '--data-dir', target, file).err, /cut short|not JSON/);
  assert.ok(!existsSync(join(target, 'gantry.db')));
  writeFileSync(file, whole.toString().replace('"schema":{', '"schema":{"telepathy":3,'));
  assert.equal(gantry('restore', '--data-dir', target, file).status === 0, false);
  assert.deepEqual(readdirSync(data).filter((name) => name.includes('.part-')), []);
});

test('of a folder without a database nothing is said to be in order, and none is made', () => {
  const data = join(folder(), 'mistyped');
  for (const words of [['backup', join(folder(), 'x.backup')], ['audit', 'verify']]) {
    const tried = gantry(...words, '--data-dir', data);
    assert.equal(tried.status, 3, tried.err);
    assert.match(tried.err, /cannot find database '.*mistyped\/gantry\.db': there is no such file/);
  }
  assert.ok(!existsSync(data));
});

test('a database in use is neither copied nor overwritten', async () => {
  const data = folder();
  const server = new Server(data);
  await server.start();
  const tried = gantry('backup', '--data-dir', data, join(data, 'x.backup'));
  assert.match(tried.err, /is using it/);
  assert.ok(!existsSync(join(data, 'x.backup')));
  await server.stop();
});

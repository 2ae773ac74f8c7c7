// Hosts, containers, volumes, networks and events, typed, on a real engine behind a real server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { ConnectionError, GantryClient, RequestError } from 'gantry-client';

import { Server, pause } from '../../../tests/faults/server.mjs';

const server = new Server();
const name = `gantry-test-${randomBytes(4).toString('hex')}`;
const labels = { 'gantry.test': name };
let client;
let host;

/** Asks until `look` answers something true. */
async function until(look) {
  for (let tries = 0; tries < 1200; ++tries) {
    const seen = await look();
    if (seen) return seen;
    await pause(100);
  }
  throw new Error('it did not come to that');
}

const make = (form) => host.create({
  image: 'gantry/sh:latest', command: ['sh', '-c', 'sleep 600'], network: 'none', init: true,
  labels, ...form,
});

const listed = async () => {
  const found = [];
  for await (const one of client.fleet.allContainers({ label: `gantry.test=${name}`, limit: 1 })) {
    found.push(one);
  }
  return found;
};

before(async () => {
  await server.start();
  client = new GantryClient({ baseUrl: `http://127.0.0.1:${server.port}`, token: server.token });
  host = client.host();
  await until(async () => (await host.info()).state === 'connected');
});
after(async () => {
  for (const { id } of await listed()) await host.container(id).remove({ force: true });
  await host.removeVolume(name).catch(() => undefined);
  await host.removeNetwork(name).catch(() => undefined);
  await server.stop('SIGTERM');
  server.remove_data();
});

test('hosts are listed, added, tested, changed and forgotten', async () => {
  assert.deepEqual((await client.fleet.hosts()).map((one) => one.name), ['local']);
  const added = await client.fleet.addHost({ name: 'away', endpoint: 'tcp://127.0.0.1:9' });
  assert.equal(added.endpoint, 'tcp://127.0.0.1:9');
  const away = client.host('away');
  const { ok, steps } = await away.test();
  assert.equal(ok, false);
  const failed = steps.find(({ state }) => state === 'failed');
  assert.equal(failed.step, 'connect');
  assert.ok(failed.remedy);
  assert.equal((await away.change({ note: 'in the cellar' })).note, 'in the cellar');
  await assert.rejects(away.trust('SHA256:nonsense'), RequestError);
  await away.remove();
  await assert.rejects(away.info(), (error) => error.code === 'no_such_host');
  assert.equal((await host.test()).ok, true);
});

test('the doctor says why a host is away', async () => {
  await client.fleet.addHost({ name: 'lost', endpoint: 'unix:///nowhere/docker.sock' });
  const lost = client.host('lost');
  const first = await lost.doctor();
  assert.deepEqual([first.report.version, first.report.cause, first.since], [1, 'socket', null]);
  const cause = first.report.checks.find(({ id }) => id === first.report.cause);
  assert.ok(cause.remedy.length > 0);
  // Who asks again within 10 s is told the same.
  const again = await lost.doctor();
  const fresh = Date.now() - Date.parse(first.report.at) < 10_000;
  if (fresh) assert.equal(again.report.at, first.report.at);
  await lost.remove();
});

test('a way over SSH that breaks is an engine that is away, by its own code', async () => {
  await client.fleet.addHost({ name: 'cellar', endpoint: 'ssh://ann@127.0.0.1:9' });
  const cellar = client.host('cellar');
  await assert.rejects(cellar.container('web').inspect(), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.where, 'engine');
    assert.match(error.code, /^ssh_/);
    return true;
  });
  await cellar.remove();
});

test('containers are made, listed page by page, and acted on together', async () => {
  const ids = [];
  for (const part of ['a', 'b']) ids.push((await make({ name: `${name}-${part}` })).id);
  const found = await until(async () => {
    const all = await listed();
    return all.length === 2 && all.every(({ state }) => state === 'running') && all;
  });
  assert.deepEqual(found.map((one) => one.name), [`${name}-a`, `${name}-b`]);
  assert.equal((await client.fleet.containers({ q: `${name}-a` })).total, 1);

  const both = ids.map((id) => ({ host: 'local', id }));
  const paused = await client.fleet.act({ action: 'pause' },
    [...both, { host: 'local', id: `${name}-gone` }]);
  assert.deepEqual(paused.map(({ ok }) => ok), [true, true, false]);
  assert.equal(paused[2].error.code, 'no_such_container');
  const state = async (id) => (await host.container(id).inspect()).state.status;
  assert.equal(await state(ids[0]), 'paused');
  await host.container(ids[0]).unpause();
  await client.fleet.act({ action: 'kill', signal: 'SIGKILL' }, [both[1]]);
  await until(async () => (await state(ids[1])) === 'exited');
});

test('a container is renamed, limited and looked into, and removed by force', async () => {
  const one = host.container(`${name}-a`);
  await one.rename(`${name}-c`);
  const it = host.container(`${name}-c`);
  await it.update({ memory_bytes: 64 << 20, memory_swap_bytes: 64 << 20 });
  assert.equal((await it.inspect()).limits.memory_bytes, 64 << 20);
  assert.equal((await it.exec(['touch', '/tmp/made'])).exit_code, 0);
  const { items } = await it.changes();
  assert.ok(items.some(({ path, change }) => path === '/tmp/made' && change === 'added'));
  const { titles, rows } = await it.top();
  assert.equal(rows[0].length, titles.length);
  await assert.rejects(it.remove(), (error) => error instanceof RequestError &&
    error.status === 409);
  await it.remove({ force: true });
  await assert.rejects(it.inspect(), (error) => error.status === 404);
});

test('what is dangerous is refused unless it is named', async () => {
  const form = { name: `${name}-d`, mounts: [{ type: 'bind', source: '/', target: '/host' }] };
  const code = (wanted) => (error) => error.code === wanted;
  await assert.rejects(make(form), code('danger_not_named'));
  const dangers = ['bind', 'host_system', 'docker_socket'];
  const made = await make({ ...form, dangers, start: false });
  assert.equal((await host.container(made.id).inspect()).state.status, 'created');
});

test('images, volumes and networks are listed, made and cleaned up', async () => {
  const images = await host.images({ q: 'gantry/sh' });
  assert.ok(images.items.some(({ tags }) => tags.includes('gantry/sh:latest')));

  await host.createVolume({ name, labels });
  await until(async () => (await host.volumes({ q: name })).items.length === 1);
  const prune = { which: 'unused', labels: [`gantry.test=${name}`] };
  const preview = await host.pruneVolumes({ ...prune, preview: true });
  assert.deepEqual(preview.items.map(({ id }) => id), [name]);
  assert.equal((await host.pruneVolumes({ ...prune, ids: [name] })).removed, 1);

  const { id } = await host.createNetwork({ name, labels });
  await until(async () => (await host.networks({ q: name })).items.length === 1);
  const networks = await host.pruneNetworks({ labels: [`gantry.test=${name}`], preview: true });
  assert.deepEqual(networks.items.map((one) => one.id), [id]);
  await host.removeNetwork(name);
  await assert.rejects(host.removeVolume(name), RequestError);
});

test('projects are those of the containers', async () => {
  const project = `${name}-shop`;
  await make({
    name: `${project}-web-1`,
    labels: {
      ...labels,
      'com.docker.compose.project': project,
      'com.docker.compose.service': 'web',
      'com.docker.compose.container-number': '1',
      'com.docker.compose.oneoff': 'False',
    },
  });
  const found = await until(async () =>
    (await client.fleet.projects('local')).find((one) => one.name === project));
  assert.deepEqual(found.services.map((service) => service.name), ['web']);
});

/** A proxy to the server whose connections the test can cut. */
async function proxy() {
  const open = new Set();
  const listener = http.createServer((request, answer) => {
    const { url: path, method, headers } = request;
    const address = { host: '127.0.0.1', port: server.port };
    const onward = http.request({
      ...address, path, method, headers: { ...headers, host: `127.0.0.1:${server.port}` },
    }, (found) => {
      open.add(answer);  // the server has taken it up
      answer.writeHead(found.statusCode, found.headers);
      found.on('error', () => answer.destroy());
      found.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise((done) => listener.listen(0, '127.0.0.1', done));
  const cut = () => {
    for (const one of open) one.destroy();
    open.clear();
  };
  const close = () => {
    listener.close();
    cut();
  };
  return { url: `http://127.0.0.1:${listener.address().port}`, cut, open, close };
}

test('events go on where they were when the stream breaks off', async () => {
  const way = await proxy();
  const volume = (n) => `${name}-v${n}`;
  const following = new GantryClient({ baseUrl: way.url, token: server.token }).fleet.events({
    host: ['local'], type: ['volume'], action: ['create'],
  });
  try {
    // Others make volumes, too, as the server itself for what it runs.
    const next = async (events = following) => {
      for (;;) {
        const { value } = await events.next();
        assert.equal(value.type, 'volume');
        if (value.id.startsWith(name)) return value;
      }
    };
    const first = next();
    // What is made before the stream stands is not told.
    await until(() => way.open.size > 0);
    for (const n of [1, 2]) await host.createVolume({ name: volume(n), labels });
    assert.equal((await first).id, volume(1));
    assert.equal((await next()).id, volume(2));

    way.cut();
    await host.createVolume({ name: volume(3), labels });
    const third = await next();
    assert.equal(third.id, volume(3));

    // Another reader goes on behind the cursor of the second.
    await host.createVolume({ name: volume(4), labels });
    const later = client.fleet.events({ after: third.cursor, type: ['volume'] });
    assert.equal((await next(later)).id, volume(4));
    await later.return();
    const unknown = client.fleet.events({ after: 'of-another-run-1' });
    assert.equal((await unknown.next()).value.type, 'gap');
    await unknown.return();
  } finally {
    way.close();
    await following.return();
    for (const n of [1, 2, 3, 4]) await host.removeVolume(volume(n)).catch(() => undefined);
  }
});

// Containers, logs, images and projects of a host, and the six functions of origin 002, on a real
// engine behind a real server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import {
  ConnectionError, GantryClient, RequestError, checkDockerAccess, getComposeProjectContainers,
  getContainerLogs, getContainerStatus, getDockerVersion, restartContainer,
} from 'gantry-client';

import { uptimeText } from '../dist/esm/docker.js';
import { Server, pause, socket } from '../../../tests/faults/server.mjs';

const server = new Server();
const project = `gantry-test-${randomBytes(4).toString('hex')}`;
const made = [];
let options;
let host;

/** One exchange with the engine itself. */
function engine(method, path, body) {
  return new Promise((done, failed) => {
    const headers = { 'content-type': 'application/json' };
    const request = http.request({ socketPath: socket, path: `/v1.41${path}`, method, headers },
      (answer) => {
        const pieces = [];
        answer.on('data', (piece) => pieces.push(piece));
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          done({ status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : text });
        });
      });
    request.on('error', failed);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A running container of the test's project. */
async function service(name, script, settings = {}) {
  const { body } = await engine('POST', `/containers/create?name=${project}-${name}-1`, {
    Image: 'gantry/sh:latest', Cmd: ['sh', '-c', script],
    Labels: {
      'com.docker.compose.project': project,
      'com.docker.compose.service': name,
      'com.docker.compose.container-number': '1',
      ...settings.labels,
    },
    Healthcheck: settings.healthcheck,
    HostConfig: { NetworkMode: 'none', Init: true },
  });
  made.push(body.Id);
  await engine('POST', `/containers/${body.Id}/start`);
  return body.Id;
}

/** Asks until `look` answers something true. */
async function until(look) {
  for (let tries = 0; tries < 1200; ++tries) {
    const seen = await look();
    if (seen) return seen;
    await pause(100);
  }
  throw new Error('it did not come to that');
}

before(async () => {
  await server.start();
  options = { baseUrl: `http://127.0.0.1:${server.port}`, token: server.token };
  host = new GantryClient(options).host();
  await service('init', 'echo made ready');
  await service('db', 'echo from the db; exec sleep 600');
  await service('web', 'echo out; echo err >&2; exec sleep 600',
    { labels: { 'com.docker.compose.depends_on': 'db:service_started:false' } });
  await until(async () => {
    const seen = await host.project(project).inspect().catch(() => undefined);
    return seen?.services.length === 3 && seen.state === 'running';
  });
});
after(async () => {
  for (const id of made) await engine('DELETE', `/containers/${id}?force=1`);
  await server.stop('SIGTERM');
  server.remove_data();
});

test('an engine that answers can be used, and has a version', async () => {
  assert.equal(await checkDockerAccess(options), true);
  const { body } = await engine('GET', '/version');
  assert.equal(await getDockerVersion(options), body.Version);
});

test("a container's status is Docker's own", async () => {
  const web = await getContainerStatus(`${project}-web-1`, options);
  assert.equal(web.state, 'running');
  assert.equal(web.name, `${project}-web-1`);
  assert.equal(web.id, made[2].slice(0, 12));
  assert.equal(web.image, 'gantry/sh:latest');
  assert.equal(web.health, 'none');
  assert.match(web.uptime, /^\d+[smhd]( \d+[smh])?$/);
  const init = await getContainerStatus(`${project}-init-1`, options);
  assert.equal(init.state, 'exited');
  assert.equal(init.uptime, '');
  assert.equal(await getContainerStatus(`${project}-gone-1`, options), null);
});

test('uptimes have their two largest units', () => {
  assert.equal(uptimeText(93_784), '1d 2h');
  assert.equal(uptimeText(8_100), '2h 15m');
  assert.equal(uptimeText(184), '3m 4s');
  assert.equal(uptimeText(5), '5s');
  assert.equal(uptimeText(0.4), '0s');
});

test('a project has its containers, and one that is not there has none', async () => {
  const found = await getComposeProjectContainers(project, options);
  assert.deepEqual(found.map(({ name }) => name).sort(),
    ['db', 'init', 'web'].map((name) => `${project}-${name}-1`));
  assert.deepEqual(await getComposeProjectContainers(`${project}-gone`, options), []);
});

test('logs are what was written, without a byte of framing', async () => {
  const log = await getContainerLogs(`${project}-web-1`, 50, options);
  assert.deepEqual(log.split('\n').sort(), ['', 'err', 'out']);
  assert.equal(await getContainerLogs(`${project}-db-1`, 1, options), 'from the db\n');
  await assert.rejects(getContainerLogs(`${project}-gone-1`, 5, options), RequestError);
  await assert.rejects(getContainerLogs(`${project}-web-1`, 0, options), RangeError);
});

test('a container is restarted, and one that is not there is not', async () => {
  const before_it = (await host.container(`${project}-db-1`).inspect()).state.started_at;
  assert.equal(await restartContainer(`${project}-db-1`, options), true);
  const after_it = (await host.container(`${project}-db-1`).inspect()).state.started_at;
  assert.notEqual(after_it, before_it);
  assert.equal(await restartContainer(`${project}-gone-1`, options), false);
});

test('logs are followed as they come, and the loop can be left', async () => {
  const id = await service('talker', 'n=0; while :; do n=$((n+1)); echo line $n; sleep 0.2; done');
  const lines = [];
  for await (const { stream, text } of host.container(id).logs({ follow: true, tail: 'all' })) {
    assert.equal(stream, 'stdout');
    lines.push(...text.split('\n').filter((line) => line !== ''));
    if (lines.length >= 5) break;
  }
  assert.deepEqual(lines.slice(0, 5), [1, 2, 3, 4, 5].map((n) => `line ${n}`));
});

test('readings come until the loop is left', async () => {
  const seen = [];
  for await (const reading of host.container(`${project}-web-1`).stats()) {
    seen.push(reading);
    if (seen.length === 2) break;
  }
  assert.ok(seen[0].memory_bytes > 0);
  assert.ok(seen[0].pids >= 1);
});

test('a command runs in a container and has an exit code', async () => {
  const web = host.container(`${project}-web-1`);
  const ran = await web.exec(['sh', '-c', 'echo "$GREETING"; echo oh >&2; exit 3'],
    { env: { GREETING: 'hello' } });
  assert.equal(ran.exit_code, 3);
  assert.equal(ran.stdout, 'hello\n');
  assert.equal(ran.stderr, 'oh\n');
});

test('the logs of a project are one, in the order of time', async () => {
  const entries = [];
  for await (const entry of host.project(project).logs()) entries.push(entry);
  const times = entries.map(({ time }) => time);
  assert.deepEqual(times, [...times].sort());
  const said = new Map(entries.map(({ service: name, text }) => [text, name]));
  assert.equal(said.get('made ready\n'), 'init');
  assert.equal(said.get('err\n'), 'web');
  assert.equal(said.get('from the db\n'), 'db');
});

test('a project is stopped and started in order, and its one-shots are left', async () => {
  const shop = host.project(project);
  const stopped = await shop.stop({ graceSeconds: 1 });
  assert.equal(stopped.ok, true, JSON.stringify(stopped));
  const did = (change) => Object.fromEntries(change.results.map((one) => [one.service, one.did]));
  assert.deepEqual(did(stopped),
    { init: 'nothing', db: 'stopped', web: 'stopped', talker: 'stopped' });
  await until(async () => (await shop.inspect()).state === 'stopped');
  const restarted = await shop.restart({ oneShots: true, graceSeconds: 1 });
  assert.equal(restarted.ok, true, JSON.stringify(restarted));
  assert.equal(did(restarted).web, 'started');
  const web = await host.container(`${project}-web-1`).inspect();
  const db = await host.container(`${project}-db-1`).inspect();
  assert.ok(web.state.started_at > db.state.started_at, 'web is started after db');
});

test('an image in use is not removed, and the error says by whom', async () => {
  const { image_id: id } = await host.container(`${project}-web-1`).inspect();
  const image = await host.image(id);
  assert.ok(image.tags.includes('gantry/sh:latest'));
  await assert.rejects(host.removeImage(id), (error) => {
    assert.ok(error instanceof RequestError);
    assert.equal(error.code, 'image_in_use');
    assert.match(error.message, new RegExp(`${project}-`));
    return true;
  });
});

test('an engine that is away is an error, and nothing empty', async () => {
  const away = new Server(join(tmpdir(), `${project}.sock`));
  await away.start();
  const there = { baseUrl: `http://127.0.0.1:${away.port}`, token: away.token };
  const is_away = (error) => error instanceof ConnectionError && error.where === 'engine';
  try {
    assert.equal(await checkDockerAccess(there), false);
    await assert.rejects(getDockerVersion(there), is_away);
    await assert.rejects(getComposeProjectContainers(project, there), is_away);
    await assert.rejects(getContainerStatus('web', there), is_away);
    await assert.rejects(getContainerLogs('web', 5, there), is_away);
    await assert.rejects(restartContainer('web', there), is_away);
  } finally {
    await away.stop('SIGTERM');
    away.remove_data();
    rmSync(join(tmpdir(), `${project}.sock`), { force: true });
  }
});

test('a server that is away is an error too, and no access', async () => {
  const nowhere = { baseUrl: 'http://127.0.0.1:9', token: 'x' };
  assert.equal(await checkDockerAccess(nowhere), false);
  await assert.rejects(getDockerVersion(nowhere), ConnectionError);
});

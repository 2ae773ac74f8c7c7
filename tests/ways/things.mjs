// What is done to images, volumes, networks and projects, one table for every way; see
// containers.mjs.
import assert from 'node:assert/strict';
import { sleeper } from './containers.mjs';
import { until } from './fleet.mjs';

const at = (stage, rest) => `/hosts/${stage.host}${rest}`;
const mark = (stage) => `gantry.ways=${stage.host}`;
const labels = (stage) => ({ 'gantry.ways': stage.host });

/** The one of this name in a list, once the host's view has it. */
function listed(stage, kind, fits) {
  return until(`it is in the list of ${kind}`, async () => {
    const { items } = await stage.fleet.ask('GET', at(stage, `/${kind}?limit=1000`));
    return items.find(fits);
  });
}

/** First a look, then the removal of just `id`. */
async function pruned(stage, kind, id, more) {
  const wish = { labels: [mark(stage)], ...more };
  const plan = await stage.fleet.ask('POST', at(stage, `/${kind}/prune`), { preview: true, ...wish });
  assert.ok(plan.items.some((item) => item.id === id), JSON.stringify(plan));
  const done = await stage.fleet.ask('POST', at(stage, `/${kind}/prune`), { ids: [id], ...wish });
  assert.deepEqual(done.results.map((one) => [one.id, one.ok]), [[id, true]]);
  assert.equal((await stage.fleet.refused('GET', at(stage, `/${kind}/${id}`))).status, 404);
}

async function images_are_pulled_tagged_and_removed(stage) {
  const reference = await stage.registry.image(`team/${stage.host}`, stage.host);
  const seen = [];
  for await (const one of stage.fleet.events(at(stage, '/images/pull'),
    { method: 'POST', body: { reference } })) seen.push(one);
  assert.ok(seen.some(({ name }) => name === 'progress'), JSON.stringify(seen));
  const done = seen.at(-1);
  assert.equal(done.name, 'done', JSON.stringify(done));
  const { id } = done.data;
  const tag = `ways-${stage.host}/copy:2`;
  await stage.fleet.ask('POST', at(stage, `/images/${id}/tag`), { reference: tag });
  const image = await listed(stage, 'images', (one) => one.id === id && one.tags.includes(tag));
  assert.ok(image.tags.includes(reference));
  const removed = await stage.fleet.ask('DELETE', at(stage, `/images/${id}?name=${tag}`));
  assert.deepEqual(removed.untagged, [tag]);
  await stage.fleet.ask('DELETE', at(stage, `/images/${id}?name=${reference}`));
  assert.equal((await stage.fleet.refused('GET', at(stage, `/images/${id}`))).status, 404);
}

async function images_that_nobody_uses_are_pruned(stage) {
  const reference = await stage.registry.image(`spare/${stage.host}`, `spare ${stage.host}`,
    mark(stage));
  const { id } = await stage.fleet.ask('POST', at(stage, '/images/pull'), { reference });
  await pruned(stage, 'images', id, { which: 'unused' });
}

async function a_pull_that_fails_is_told(stage) {
  const reference = stage.registry.reference('nobody/nothing');
  const refused = await stage.fleet.refused('POST', at(stage, '/images/pull'), { reference });
  assert.deepEqual(refused, { status: 404, code: 'engine_no_such_remote_image' });
}

async function volumes_are_made_pruned_and_removed(stage) {
  const name = `ways-${stage.host}-data`;
  const make = () => stage.fleet.ask('POST', at(stage, '/volumes'), { name, labels: labels(stage) });
  await make();
  assert.equal((await listed(stage, 'volumes', (one) => one.name === name)).driver, 'local');
  const user = await sleeper(stage, { mounts: [{ type: 'volume', source: name, target: '/data' }] });
  const refused = await stage.fleet.refused('DELETE', at(stage, `/volumes/${name}`));
  assert.deepEqual(refused, { status: 409, code: 'volume_in_use' });
  await stage.fleet.ask('DELETE', at(stage, `/containers/${user.id}?force=true`));
  await stage.fleet.ask('DELETE', at(stage, `/volumes/${name}`));
  await make();
  await pruned(stage, 'volumes', name, { which: 'unused' });
}

async function networks_are_made_joined_pruned_and_removed(stage) {
  const name = `ways-${stage.host}-net`;
  const make = () => stage.fleet.ask('POST', at(stage, '/networks'),
    { name, internal: true, labels: labels(stage) });
  await make();
  assert.equal((await listed(stage, 'networks', (one) => one.name === name)).internal, true);
  const { id: member } = await sleeper(stage, { network: name });
  const path = at(stage, `/networks/${name}`);
  await stage.fleet.ask('POST', `${path}/disconnect`, { container: member });
  await stage.fleet.ask('POST', `${path}/connect`, { container: member, aliases: ['other'] });
  assert.ok(JSON.stringify(await stage.fleet.ask('GET', path)).includes(member));
  const refused = await stage.fleet.refused('DELETE', path);
  assert.deepEqual(refused, { status: 409, code: 'network_in_use' });
  await stage.fleet.ask('DELETE', at(stage, `/containers/${member}?force=true`));
  await stage.fleet.ask('DELETE', path);
  const { id } = await make();
  await pruned(stage, 'networks', id);
}

async function the_disk_is_counted(stage) {
  const usage = await stage.fleet.ask('GET', at(stage, '/disk-usage'));
  assert.ok(usage.images.count > 0 && usage.images.size_bytes > 0, JSON.stringify(usage));
}

async function the_doctor_examines_it(stage) {
  const first = await stage.fleet.ask('GET', at(stage, '/doctor'));
  const engine = first.report.checks.find(({ id }) => id === 'engine');
  assert.equal(engine.state, 'ok', JSON.stringify(first));
  const next = await stage.fleet.ask('GET', at(stage, '/doctor'));
  // On a machine that is slow it may not be fresh any more.
  const fresh = Date.now() - Date.parse(first.report.at) < 10_000;
  if (fresh) assert.equal(next.report.at, first.report.at, 'a fresh answer is given again');
}

const member = (stage, service, script, more = {}) => sleeper(stage, {
  entrypoint: ['sh', '-c', `trap 'exit 0' TERM; echo ${script}`],
  labels: {
    'com.docker.compose.project': stage.project,
    'com.docker.compose.service': service,
    'com.docker.compose.container-number': '1',
    'com.docker.compose.oneoff': 'False',
    ...more,
  },
});

async function projects_are_one_thing(stage) {
  stage.project = `ways-${stage.host}`;
  const wait = '; while :; do sleep 0.1; done';
  await member(stage, 'db', `db is ready${wait}`);
  await member(stage, 'web', `web listens${wait}`,
    { 'com.docker.compose.depends_on': 'db:service_started:false' });
  const path = at(stage, `/projects/${stage.project}`);
  const seen = await until('the project with both services', async () => {
    const { status, body } = await stage.fleet.api('GET', `/api/v1${path}`);
    return status === 200 && body.services.length === 2 && body.state === 'running' && body;
  });
  assert.deepEqual(seen.services.map(({ name }) => name), ['db', 'web']);
  await until('what both services say', async () => {
    const { text } = await stage.fleet.text(`${path}/logs?tail=10`);
    return /^db-1 +\| db is ready$/m.test(text) && /^web-1 +\| web listens$/m.test(text);
  });
  for (const [action, did] of [['restart', 'restarted'], ['stop', 'stopped'], ['start', 'started']]) {
    const done = await stage.fleet.ask('POST', `${path}/${action}`);
    assert.ok(done.ok, JSON.stringify(done));
    assert.deepEqual(done.results.map((one) => one.did), [did, did]);
    const state = action === 'stop' ? 'exited' : 'running';
    await until(`the project is ${state}`, async () =>
      (await stage.fleet.ask('GET', path)).state === state);
  }
  const lines = [];
  for await (const { data } of stage.fleet.events(`${path}/logs?follow=true&tail=100`)) {
    lines.push(data.text);
    if (lines.length === 4) break;  // each has begun twice, and once more
  }
  assert.ok(lines.includes('db is ready\n') && lines.includes('web listens\n'));
}

export const thing_actions = [
  ['images: pull, tag, list, remove', images_are_pulled_tagged_and_removed],
  ['images: prune', images_that_nobody_uses_are_pruned],
  ['images: a pull that fails', a_pull_that_fails_is_told],
  ['volumes', volumes_are_made_pruned_and_removed],
  ['networks', networks_are_made_joined_pruned_and_removed],
  ['disk usage', the_disk_is_counted],
  ['doctor', the_doctor_examines_it],
  ['projects', projects_are_one_thing],
];

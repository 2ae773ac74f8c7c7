// The same table of actions over every way to one engine, all ways at once on one server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { socket } from '../faults/server.mjs';
import { engine } from '../abuse/engine.mjs';
import { clean_up } from './clean_up.mjs';
import { container_actions } from './containers.mjs';
import { Fleet, until } from './fleet.mjs';
import { Registry, registry_missing } from './registry.mjs';
import { thing_actions } from './things.mjs';
import { close_ways, ways } from './ways.mjs';

const image = 'gantry/sh:latest';
const fleet = new Fleet();
const registry = new Registry();

/** What cannot be had here is skipped, visibly; where CI is set, it is a failure. */
function skip(missing) {
  assert.ok(!missing || !process.env.CI, missing);
  return missing || false;
}

before(async () => {
  await fleet.start();
  if (!skip(registry_missing())) await registry.start();
});

after(() => clean_up(() => fleet.end(), close_ways, () => registry.stop(), remove_containers,
  remove_volumes, remove_networks, remove_images, () => fleet.remove_data()));

// What a failed test has left on the engine.
const label = `filters=${encodeURIComponent(JSON.stringify({ label: ['gantry.ways'] }))}`;
const labelled = async (path) => (await engine('GET', `${path}${label}`)).json();

async function remove_containers() {
  for (const { Id } of await labelled('/containers/json?all=1&')) {
    await engine('DELETE', `/containers/${Id}?force=1&v=1`);
  }
}

async function remove_volumes() {
  for (const { Name } of (await labelled('/volumes?')).Volumes ?? []) {
    await engine('DELETE', `/volumes/${Name}`);
  }
}

async function remove_networks() {
  for (const { Id } of await labelled('/networks?')) await engine('DELETE', `/networks/${Id}`);
}

async function remove_images() {
  for (const { RepoTags } of (await engine('GET', '/images/json')).json()) {
    const ours = (tag) => /^ways-|^127\.0\.0\.1:\d+\/(team|spare)\//.test(tag);
    for (const tag of (RepoTags ?? []).filter(ours)) await engine('DELETE', `/images/${tag}?force=1`);
  }
}

/** Adds the host, trusts what must be trusted, and waits until it is connected. */
async function connect(way) {
  const { host, trust = [], via = 'direct' } = await way.make(socket);
  await fleet.ask('POST', '/hosts', { name: way.name, ...host });
  for (const sshd of trust) {
    const { ok, steps } = await fleet.ask('POST', `/hosts/${way.name}/test`);
    const refused = steps.find(({ state }) => state === 'failed');
    assert.equal(ok, false);
    assert.equal(refused.step, 'host_key');
    assert.equal(refused.fingerprint, sshd.fingerprint());
    await fleet.ask('POST', `/hosts/${way.name}/trust`, { fingerprint: refused.fingerprint });
  }
  const { ok, steps } = await fleet.ask('POST', `/hosts/${way.name}/test`);
  assert.ok(ok, JSON.stringify(steps));
  const seen = await until('it is connected', async () => {
    const one = await fleet.ask('GET', `/hosts/${way.name}`);
    return one.state === 'connected' && one;
  });
  assert.equal(seen.via, via);
}

const named = (process.env.GANTRY_TEST_WAYS ?? '').split(' ').filter(Boolean);
const wanted = ways.filter(({ name }) => named.length === 0 || named.includes(name));

test('every action over every way', { concurrency: true }, async (all) => {
  await Promise.all(wanted.map((way) => all.test(way.name, { skip: skip(way.missing()) },
    async (one) => {
      const stage = { fleet, registry, host: way.name, image };
      await one.test('connect', () => connect(way));
      for (const [name, run] of [...container_actions, ...thing_actions]) {
        const missing = name.startsWith('images') ? skip(registry_missing()) : false;
        await one.test(name, { skip: missing }, () => run(stage));
      }
    })));
});

// What is done to containers, one table for every way: each action is {name, run(stage)}. `stage`
// has the fleet, the host's name, `image`, and `main`, the container that all of them share: it goes
// on writing numbered lines.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { pause } from '../faults/server.mjs';
import { until } from './fleet.mjs';

const program = `trap 'exit 7' TERM; trap 'echo hup' HUP; echo made > /made; i=0
while :; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.1; done`;
const label = (stage) => ({ 'gantry.ways': stage.host });
const at = (stage, rest = '') => `/hosts/${stage.host}/containers/${stage.main}${rest}`;
const look = (stage) => stage.fleet.ask('GET', at(stage));
const status = async (stage) => (await look(stage)).state.status;

/** A container that sleeps, outside of any network. */
export async function sleeper(stage, more = {}) {
  const { name, id } = await create(stage, { entrypoint: ['sleep', '1000'], network: 'none',
    init: true, ...more });
  return { name, id };
}

async function create(stage, form) {
  const name = `ways-${stage.host}-${randomBytes(4).toString('hex')}`;
  const body = { name, image: stage.image, ...form, labels: { ...label(stage), ...form.labels } };
  const made = await stage.fleet.ask('POST', `/hosts/${stage.host}/containers`, body);
  return { name, id: made.id };
}

async function makes_what_is_asked_for(stage) {
  const made = await create(stage, {
    entrypoint: ['sh', '-c', program],
    env: { COLOUR: 'green', DB_PASSWORD: 'wonderland' },
    working_dir: '/tmp',
    ports: [{ container_port: 80, host_ip: '127.0.0.1' }],
    mounts: [{ type: 'tmpfs', target: '/scratch', size_bytes: 65_536 }],
    limits: { memory_bytes: 64 << 20 },
    healthcheck: { shell: 'echo fine', interval_ms: 1000 },
  });
  stage.main = made.name;
  stage.id = made.id;
  const seen = await look(stage);
  assert.equal(seen.id, made.id);
  assert.equal(seen.working_dir, '/tmp');
  assert.equal(seen.limits.memory_bytes, 64 << 20);
  assert.equal(seen.ports[0].private, 80);
  assert.ok(seen.ports[0].public > 0);
}

async function masks_secrets(stage) {
  const value = (seen, name) => seen.env.find((one) => one.name === name)?.value;
  const seen = await look(stage);
  assert.equal(value(seen, 'COLOUR'), 'green');
  assert.ok(!JSON.stringify(seen).includes('wonderland'));
  const shown = await stage.fleet.ask('GET', at(stage, '?unmask=true'));
  assert.equal(value(shown, 'DB_PASSWORD'), 'wonderland');
}

async function tells_health_with_its_probes(stage) {
  const seen = await until('a probe', async () => {
    const one = await look(stage);
    return one.health?.probes?.length > 0 && one;
  });
  assert.equal(seen.health.probes[0].exit_code, 0);
  assert.match(seen.health.probes[0].output, /fine/);
}

async function is_listed(stage) {
  const query = `/containers?host=${stage.host}&q=${stage.main}&state=running`;
  const { items } = await until('the container in the list', async () => {
    const page = await stage.fleet.ask('GET', query);
    return page.total === 1 && page;
  });
  assert.equal(items[0].id, stage.id);
  assert.equal(items[0].host, stage.host);
}

/** Lines `out 1`, `out 2`, … without a gap, from `first` on if it is given. */
function assert_numbered(text, word, first) {
  const lines = text.split('\n').slice(0, -1);
  const from = first ?? Number(lines[0].split(' ')[1]);
  lines.forEach((line, i) => assert.equal(line, `${word} ${from + i}`));
}

async function tells_its_log(stage) {
  const { fleet } = stage;
  assert_numbered((await fleet.text(at(stage, '/logs?tail=all&stream=stdout'))).text, 'out', 1);
  assert_numbered((await fleet.text(at(stage, '/logs?tail=all&stream=stderr'))).text, 'err', 1);
  const last = (await fleet.text(at(stage, '/logs?tail=4&timestamps=true'))).text.split('\n');
  assert.equal(last.length, 5);
  assert.match(last[0], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (out|err) \d+$/);
  const early = await fleet.text(at(stage, '/logs?since=1h&until=30m'));
  assert.equal(early.text, '');
}

async function lets_its_log_be_followed(stage) {
  let text = '';
  for await (const { name, data } of stage.fleet.events(
    at(stage, '/logs?follow=true&tail=all&stream=stdout'))) {
    assert.equal(name, 'stdout');
    text += data.text;
    stage.lines ??= text.split('\n').length;
    // From what was there on over what comes.
    if (text.split('\n').length > stage.lines + 5) break;
  }
  assert_numbered(text, 'out', 1);
}

async function lets_its_log_be_downloaded(stage) {
  const { text, headers } = await stage.fleet.text(at(stage, '/logs?download=true&stream=stdout'));
  assert.match(headers.get('content-disposition'), /^attachment/);
  assert_numbered(text, 'out', 1);
}

async function tells_what_it_uses(stage) {
  const one = await stage.fleet.ask('GET', at(stage, '/stats'));
  assert.ok(one.memory_bytes > 0 && one.pids > 0, JSON.stringify(one));
  assert.equal(one.memory_limit_bytes, 64 << 20);
  const seen = [];
  for await (const { name, data } of stage.fleet.events(at(stage, '/stats'))) {
    assert.equal(name, 'stats');
    seen.push(data.read_at);
    if (seen.length === 2) break;
  }
  assert.notEqual(seen[0], seen[1]);
}

async function tells_processes_and_changes(stage) {
  const { rows } = await stage.fleet.ask('GET', at(stage, '/top'));
  assert.ok(rows.flat().some((cell) => cell.includes('while :')), JSON.stringify(rows));
  const { items } = await stage.fleet.ask('GET', at(stage, '/changes'));
  assert.ok(items.some(({ path, change }) => path === '/made' && change === 'added'));
}

async function runs_a_command(stage) {
  const ended = await stage.fleet.ask('POST', at(stage, '/exec'), {
    command: ['sh', '-c', 'cat; pwd; echo "$WHO" >&2; exit 3'], stdin: 'typed\n',
    env: { WHO: 'me' }, working_dir: '/',
  });
  assert.equal(ended.exit_code, 3);
  assert.equal(ended.stdout, 'typed\n/\n');
  assert.equal(ended.stderr, 'me\n');
  assert.equal(ended.process, 'ended');
}

async function ends_a_command_out_of_time(stage) {
  const ended = await stage.fleet.ask('POST', at(stage, '/exec'),
    { command: ['sleep', '997'], timeout_ms: 300 });
  assert.equal(ended.timed_out, true);
  const { rows } = await stage.fleet.ask('GET', at(stage, '/top'));
  assert.ok(!rows.flat().some((cell) => cell.includes('sleep 997')), JSON.stringify(rows));
}

async function gives_a_terminal(stage) {
  const opened = await stage.fleet.ask('POST', at(stage, '/terminals'), { columns: 80, rows: 24 });
  let typed = false;
  // The size follows the screen's a moment later.
  const { shown, ended, code } = await stage.fleet.screen(opened, (text, type) => {
    if (typed) return;
    typed = true;
    type('until stty size | grep "31 91"; do sleep 0.1; done; echo grüße $((40+2)); exit 5\n');
  });
  assert.match(shown, /^31 91\r$/m);
  assert.match(shown, /grüße 42/);
  assert.equal(ended.reason, 'exited');
  assert.equal(ended.exit_code, 5);
  assert.equal(code, 1000);
}

async function pauses(stage) {
  await stage.fleet.ask('POST', at(stage, '/pause'));
  assert.equal(await status(stage), 'paused');
  await stage.fleet.ask('POST', at(stage, '/unpause'));
  assert.equal(await status(stage), 'running');
  const { status: again } = await stage.fleet.refused('POST', at(stage, '/unpause'));
  assert.equal(again, 409);
}

async function takes_a_signal(stage) {
  await stage.fleet.ask('POST', at(stage, '/kill'), { signal: 'SIGHUP' });
  await until('what the signal makes it say', async () =>
    (await stage.fleet.text(at(stage, '/logs?tail=50&stream=stdout'))).text.includes('hup\n'));
}

async function is_renamed(stage) {
  const name = `${stage.main}-2`;
  await stage.fleet.ask('POST', at(stage, '/rename'), { name });
  stage.main = name;
  assert.equal((await look(stage)).name, name);
}

async function takes_other_limits(stage) {
  await stage.fleet.ask('POST', at(stage, '/update'), { memory_bytes: 96 << 20,
    memory_swap_bytes: -1, cpus: 0.5, restart: { policy: 'on-failure', retries_max: 3 } });
  const seen = await look(stage);
  assert.equal(seen.limits.memory_bytes, 96 << 20);
  assert.equal(seen.limits.cpus, 0.5);
  assert.deepEqual(seen.restart, { policy: 'on-failure', retries_max: 3 });
  await stage.fleet.ask('POST', at(stage, '/update'), { cpus: 1, restart: { policy: 'no' } });
}

async function is_restarted(stage) {
  const before = (await look(stage)).state.started_at;
  await stage.fleet.ask('POST', at(stage, '/restart'), { grace_seconds: 20 });
  const seen = await look(stage);
  assert.equal(seen.state.status, 'running');
  assert.notEqual(seen.state.started_at, before);
  // Process 1 ignores signals for which it has set no trap yet.
  await until('its first line after the restart', async () => {
    const { text } = await stage.fleet.text(at(stage, '/logs?tail=all&stream=stdout'));
    return text.match(/^out 1$/gm)?.length === 2;
  });
}

async function is_stopped_and_started(stage) {
  await stage.fleet.ask('POST', at(stage, '/stop'), { grace_seconds: 20 });
  const seen = await look(stage);
  assert.equal(seen.state.status, 'exited');
  assert.equal(seen.state.exit_code, 7);
  await stage.fleet.ask('POST', at(stage, '/start'));
  assert.equal(await status(stage), 'running');
}

async function tells_events(stage) {
  let seen = 0;
  const followed = (async () => {
    for await (const { data } of stage.fleet.events(
      `/events?host=${stage.host}&type=container&action=rename`)) {
      assert.equal(data.action, 'rename');
      if (data.id === stage.id && ++seen === 2) return;
    }
  })();
  // Who begins to follow is told what happens from then on: done until it has been told.
  while (seen < 2) {
    const name = stage.main.endsWith('-3') ? stage.main.slice(0, -2) : `${stage.main}-3`;
    await stage.fleet.ask('POST', at(stage, '/rename'), { name });
    stage.main = name;
    await pause(50);
  }
  await followed;
}

async function are_acted_on_at_once(stage) {
  const both = [await sleeper(stage), await sleeper(stage)];
  const all = async (action, more, ids) => {
    const containers = ids.map((id) => ({ host: stage.host, id }));
    const body = { action, containers, ...more };
    return (await stage.fleet.ask('POST', '/containers/actions', body)).results;
  };
  const ids = both.map(({ id }) => id);
  const stopped = await all('stop', { grace_seconds: 1 }, [...ids, 'f'.repeat(64)]);
  assert.deepEqual(stopped.map(({ ok }) => ok), [true, true, false]);
  const removed = await all('remove', {}, ids);
  assert.deepEqual(removed.map(({ ok }) => ok), [true, true]);
}

async function is_removed(stage) {
  const path = at(stage);
  assert.equal((await stage.fleet.refused('DELETE', path)).status, 409);
  await stage.fleet.ask('DELETE', `${path}?force=true&volumes=true`);
  assert.equal((await stage.fleet.refused('GET', path)).status, 404);
}

/** In this order: the first makes the container, the last takes it away. */
export const container_actions = [
  ['create', makes_what_is_asked_for],
  ['inspect, masked and not', masks_secrets],
  ['health', tells_health_with_its_probes],
  ['list', is_listed],
  ['log', tells_its_log],
  ['log, followed', lets_its_log_be_followed],
  ['log, downloaded', lets_its_log_be_downloaded],
  ['stats', tells_what_it_uses],
  ['top and changes', tells_processes_and_changes],
  ['exec', runs_a_command],
  ['exec out of time', ends_a_command_out_of_time],
  ['terminal', gives_a_terminal],
  ['pause and unpause', pauses],
  ['kill', takes_a_signal],
  ['rename', is_renamed],
  ['update', takes_other_limits],
  ['events', tells_events],
  ['restart', is_restarted],
  ['stop and start', is_stopped_and_started],
  ['many at once', are_acted_on_at_once],
  ['remove', is_removed],
];

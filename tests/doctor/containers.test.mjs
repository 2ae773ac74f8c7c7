// What is seen inside containers, where groups are numbers.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  engine, Findings, gid_of, groups_file, id_of, make_image, new_user, root, run_words, Session,
  usual_socket,
} from './place.mjs';

const nobody = 41000;
const mount = `-v ${usual_socket}:${usual_socket}`;
const as_nobody = `--user ${nobody}:${nobody}`;

let shell;
before(async () => {
  await engine.ready();
  make_image();
  shell = new Session(new_user('docker'));
});

/** What the doctor says in a container that is started by these words. */
async function doctor_by(command) {
  const { code, out } = await shell.type(command);
  return new Findings(code, out);
}
const words = (options) => run_words('/usr/local/bin/gantry doctor --json', options);

test('a container without the number of the group is given it', async () => {
  const found = (await doctor_by(`docker run ${words(`${mount} ${as_nobody}`)}`))
    .names('membership', new RegExp(`of this container is not in group ${gid_of('docker')}, which has no name`));
  assert.equal(found.report.in_container, true);
  assert.equal(found.check('socket_group').state, 'note');
  const [run] = found.commands('membership');
  assert.equal(run, `docker run --group-add ${gid_of('docker')} …`);
  const passed = (await doctor_by(run.replace('…', words(`${mount} ${as_nobody}`)))).passes();
  assert.match(passed.check('membership').summary, /is in group/);
});

test('a container that nobody gave the socket is given it', async () => {
  const group = `--group-add ${gid_of('docker')} ${as_nobody}`;
  const found = (await doctor_by(`docker run ${words(group)}`)).names('socket', /in this container: nobody mounted it/);
  const [run] = found.commands('socket');
  assert.equal(run, `docker run ${mount} …`);
  (await doctor_by(run.replace('…', words(group)))).passes();
});

test('a process in a container is not taken for an account of the machine', async () => {
  // Its number is that of somebody out here.
  const id = id_of(shell.user);
  const run = run_words('/usr/bin/sleep 600', `${mount} --user ${id}:${id}`);
  const container = (await shell.type(`docker run -d ${run}`)).out.trim();
  const pid = root(`docker inspect -f '{{.State.Pid}}' ${container}`).trim();
  const found = await shell.doctor_of(`sudo gantry doctor --json --pid ${pid}`);
  found.names('membership', /of that container is not in group/);
  assert.equal(found.commands('membership')[0], `docker run --group-add ${gid_of('docker')} …`);
  const before_it = groups_file();
  await shell.type(`sudo gantry doctor --fix --yes --pid ${pid} 2>&1`);
  assert.equal(groups_file(), before_it);
  root(`docker kill ${container}`);
});

test('a mount that is read-only is said to protect nothing', async () => {
  const found = (await doctor_by(`docker run ${words(`${mount}:ro --group-add ${gid_of('docker')} ${as_nobody}`)}`)).passes();
  assert.equal(found.check('socket').state, 'note');
  assert.match(found.check('socket').summary, /mounted read-only, which protects nothing/);
});

test('root in a container needs no group', async () => {
  (await doctor_by(`docker run ${words(mount)}`)).passes();
});

test('the machine itself is not taken for a container', async () => {
  assert.equal((await shell.doctor()).report.in_container, false);
});

// Accounts, groups, and processes that began too early.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import {
  engine, gid_of, groups_file, id_of, mode_of, new_user, room, root, Session, until, usual_socket,
} from './place.mjs';

beforeEach(() => engine.ready());

/** A process of the user's that goes on until it is killed: {pid, end}. */
async function process_of(user) {
  const child = spawn('setpriv', ['--reuid', user, '--regid', user, '--init-groups', 'sleep', '600'],
    { stdio: 'ignore' });
  const ended = new Promise((done) => child.on('exit', done));
  // Before that it is root's.
  const name = () => readFileSync(`/proc/${child.pid}/comm`, 'utf8').trim();
  await until(() => name() === 'sleep', `the process of '${user}'`);
  return { pid: child.pid, end: async () => { child.kill('SIGKILL'); await ended; } };
}

test('a user who is not in the group is added, and the shell told apart that is older', async () => {
  const user = new_user();
  const shell = new Session(user);
  const first = (await shell.doctor()).names('membership', new RegExp(`user '${user}' is not in group 'docker'`));
  assert.deepEqual(first.commands('membership'), [`sudo usermod -aG docker ${user}`]);
  await shell.follow(...first.commands('membership'));

  const second = (await shell.doctor()).names('process_groups', /by now, but this process began before that/);
  assert.equal(second.check('membership').state, 'ok');
  assert.deepEqual(second.commands('process_groups'), ['newgrp docker']);
  await shell.type('newgrp docker');
  (await shell.doctor()).passes();
  (await new Session(user).doctor()).passes();
});

test('a process that began before its account was in the group is restarted', async () => {
  const user = new_user();
  const old = await process_of(user);
  const shell = new Session(user);
  (await shell.doctor(`--pid ${old.pid}`)).names('membership', /is not in group/);
  root(`usermod -aG docker ${user}`);
  const found = (await shell.doctor(`--pid ${old.pid}`)).names('process_groups', new RegExp(`process ${old.pid} began before`));
  assert.match(found.check('process_groups').remedy[0].what, new RegExp(`end process ${old.pid}`));
  await old.end();
  const young = await process_of(user);
  (await shell.doctor(`--pid ${young.pid}`)).passes();
  await young.end();
});

test('an account with a number as of DynamicUser= is one like another, also to --fix', async () => {
  const user = new_user();
  root(`usermod --uid 64055 ${user}`);
  const shell = new Session(user);
  const found = (await shell.doctor()).names('membership', new RegExp(`user '${user}' is not in group 'docker'`));
  assert.deepEqual(found.commands('membership'), [`sudo usermod -aG docker ${user}`]);
  (await new Session('root').doctor(`--fix --yes --user ${user}`)).passes();
  assert.match(root(`id -nG ${user}`), /\bdocker\b/);

  // What systemd leaves of one that it has made.
  const made = new_user();
  const folder = '/run/systemd/dynamic-uid';
  root(`mkdir -p ${folder}; ln -s ${made} ${folder}/direct:${id_of(made)}`);
  (await new Session(made).doctor()).names('membership', /gets its account at each start/);
  root(`rm ${folder}/direct:${id_of(made)}`);
});

test('--fix of a process adds its account and leaves the restart to its owner', async () => {
  const user = new_user();
  const old = await process_of(user);
  const admin = new Session(new_user());
  const fixed = await admin.doctor_of(`sudo gantry doctor --fix --yes --json --pid ${old.pid}`);
  fixed.names('process_groups', /began before that/);
  assert.match(root(`id -nG ${user}`), /\bdocker\b/);
  await old.end();
  const young = await process_of(user);
  const before_it = groups_file();
  const again = await admin.type(`sudo gantry doctor --fix --yes --pid ${young.pid} 2>&1`);
  assert.match(again.out, /there is nothing to change/);
  assert.equal(groups_file(), before_it);
  await young.end();
});

test('--fix tells who is not root what to type, and does nothing the second time', async () => {
  const user = new_user();
  const shell = new Session(user);
  const before_it = groups_file();
  const refused = await shell.type('gantry doctor --fix --yes 2>&1');
  assert.notEqual(refused.code, 0);
  assert.equal(groups_file(), before_it);
  const [, command] = /run '(sudo gantry doctor --fix[^']*)'/.exec(refused.out) ?? [];
  assert.equal(command, 'sudo gantry doctor --fix', refused.out);

  writeFileSync(`${room}/homes/${user}/.env`, '# of the NAS\nTZ=UTC');
  const dry = await shell.type(`${command} --dry-run 2>&1`);
  assert.match(dry.out, new RegExp(`usermod -aG docker ${user}`));
  assert.match(dry.out, /group_add: /);
  assert.equal(dry.code, 2);
  assert.equal(groups_file(), before_it);
  const fixed = await shell.doctor_of(`${command} --yes --json`);
  fixed.passes();
  assert.match(root(`id -nG ${user}`), /\bdocker\b/);
  const file = `${room}/homes/${user}/.env`;
  assert.equal(readFileSync(file, 'utf8'), `# of the NAS\nTZ=UTC\nDOCKER_GID=${gid_of('docker')}\n`);

  const after_it = [groups_file(), statSync(file).ino];
  const again = await shell.type(`${command} --yes 2>&1`);
  assert.match(again.out, /there is nothing to change/);
  assert.deepEqual([groups_file(), statSync(file).ino], after_it);
  (await new Session(user).doctor()).passes();
});

test('a .env that --fix makes under sudo belongs to whose folder it is', async () => {
  const user = new_user('docker');
  const shell = new Session(user);
  await shell.follow('touch compose.yaml', 'sudo gantry doctor --fix --yes');
  assert.equal(statSync(`${room}/homes/${user}/.env`).uid, id_of(user));
});

test('--fix finds the tools for accounts where root has a short PATH, as after su', async () => {
  const user = new_user();
  const admin = new Session('root', { PATH: '/usr/local/bin:/usr/bin:/bin' });
  (await admin.doctor(`--fix --yes --user ${user}`)).passes();
});

test('root of a user namespace is told that it is not root of the machine', async () => {
  const shell = new Session(new_user());
  const found = await shell.doctor_of('unshare --user --map-root-user gantry doctor --json');
  found.names('access', /this root is not the machine's/);
  assert.deepEqual(found.commands('access'), ['docker run --userns=host …']);
});

test('a group without a name gets one, with the number of the socket', async () => {
  const gid = gid_of('docker');
  root('groupdel docker');
  const shell = new Session(new_user());
  const found = (await shell.doctor()).names('membership', new RegExp(`is not in group ${gid}, which has no name`));
  assert.equal(found.check('socket_group').state, 'warning');
  assert.deepEqual(found.commands('socket_group'), [`sudo groupadd -f --gid ${gid} docker`]);
  assert.deepEqual(found.commands('membership'),
    [`sudo groupadd -f --gid ${gid} docker`, `sudo usermod -aG docker ${shell.user}`]);
  // From the top to the bottom, as somebody would who reads it.
  await shell.follow(...found.commands('socket_group'), ...found.commands('membership'));
  assert.equal(gid_of('docker'), gid);
  await shell.type('newgrp docker');
  assert.equal((await shell.doctor()).passes().check('socket_group').state, 'ok');
});

test('--fix makes the group that is missing, and none that is there', async () => {
  const gid = gid_of('docker');
  root('groupdel docker');
  for (let time = 0; time < 2; time += 1) {
    const shell = new Session(new_user());
    const fixed = await shell.type('sudo gantry doctor --fix --yes 2>&1');
    assert.doesNotMatch(fixed.out, /already exists/);
    assert.equal(fixed.out.includes(`groupadd --gid ${gid} docker`), time === 0, fixed.out);
    assert.equal(gid_of('docker'), gid);
    (await new Session(shell.user).doctor()).passes();
  }
});

test('a socket of another number than group docker, which exists already, is made anew', async () => {
  const gid = gid_of('docker');
  root(`groupmod --gid ${gid + 5000} docker`);
  const shell = new Session(new_user());
  const found = (await shell.doctor()).names('membership', /which has no name/);
  assert.match(found.check('socket_group').summary, new RegExp(`group ${gid}, which has no name; group 'docker' is ${gid + 5000}`));
  assert.deepEqual(found.commands('membership'),
    ['sudo service docker restart', `sudo usermod -aG docker ${shell.user}`]);
  await shell.follow(...found.commands('membership'));
  await engine.up();
  await shell.type('newgrp docker');
  (await shell.doctor()).passes();

  // Such a group may be meant so: --fix leaves it.
  root(`groupmod --gid ${gid} docker`);
  const other = new Session(new_user());
  const before_it = groups_file();
  const fixed = await other.type('sudo gantry doctor --fix --yes 2>&1');
  assert.match(fixed.out, /nothing that this command could change by itself/);
  assert.doesNotMatch(fixed.out, /already exists/);
  assert.equal(groups_file(), before_it);
});

test('a socket of group root is given to group docker, and nobody to group root', async () => {
  root(`chgrp root ${usual_socket}; groupdel docker`);
  const shell = new Session(new_user());
  await shell.type('sudo gantry doctor --fix --yes 2>&1');
  assert.equal(root(`id -nG ${shell.user}`).trim(), shell.user);
  const found = (await shell.doctor()).names('membership', /group 'root' \(0\) opens it for nobody/);
  assert.deepEqual(found.commands('membership'),
    ['sudo groupadd docker && sudo service docker restart', `sudo usermod -aG docker ${shell.user}`]);
  await shell.follow(...found.commands('membership'));
  await engine.up();
  await shell.type('newgrp docker');
  (await shell.doctor()).passes();
  assert.equal(mode_of(usual_socket), '660');
});

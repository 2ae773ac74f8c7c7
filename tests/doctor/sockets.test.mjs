// Which engine is meant, what is at its place, and who else may use it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import {
  engine, id_of, make_image, mode_of, new_user, OtherEngine, room, root, run_words, Session,
  usual_socket,
} from './place.mjs';

const aside = '/var/run/docker-alt.sock';

beforeEach(() => engine.ready());

const member = (variables) => new Session(new_user('docker'), variables);

test('an engine that was stopped is started', async () => {
  const shell = member();
  engine.stop();
  const found = (await shell.doctor()).names('socket', /there is no '\/var\/run\/docker.sock': the engine does not run/);
  const [start, log] = found.commands('socket');
  assert.equal(start, 'sudo service docker start');
  assert.match((await shell.type(log)).out, /docker/);
  await shell.follow(start);
  await engine.up();
  (await shell.doctor()).passes();
});

test('a socket at which nobody listens is told from one that is not there', async () => {
  const shell = member();
  await engine.kill();
  const found = (await shell.doctor()).names('engine', /nobody listens|nothing listens/);
  assert.equal(found.check('socket').state, 'ok');
  assert.deepEqual(found.commands('engine'), ['sudo service docker start']);
  await shell.follow(...found.commands('engine'));
  await engine.up();
  (await shell.doctor()).passes();
});

test('the folder that Docker made in the place of a socket is cleared away', async () => {
  const shell = member();
  engine.stop();
  // Docker makes it for a container that wants what is not there.
  const other = new OtherEngine(`unix://${room}/aside.sock`);
  await other.up();
  make_image(other.host);
  root(`docker -H ${other.host} run -v ${usual_socket}:${usual_socket} ${run_words('/usr/bin/true')}`);
  await other.end();
  const found = (await shell.doctor()).names('socket', /is a folder: Docker makes one/);
  assert.deepEqual(found.commands('socket'),
    ['sudo service docker stop; sudo rmdir /var/run/docker.sock && sudo service docker start']);
  await shell.follow(...found.commands('socket'));
  await engine.up();
  (await shell.doctor()).passes();
});

test('of two engines the one in force is named, and the way to the other', async () => {
  const shell = member();
  const other = new OtherEngine(`unix://${aside}`);
  await other.up();
  const found = (await shell.doctor()).passes();
  assert.equal(found.report.endpoint.text, `unix://${usual_socket}`);
  assert.equal(found.check('endpoint').state, 'note');
  assert.match(found.check('endpoint').summary, /by the default; there is another engine's socket at '\/var\/run\/docker-alt.sock'/);
  const [once] = found.commands('endpoint');
  assert.equal(once, `export DOCKER_HOST=unix://${aside}`);
  await shell.follow(once);
  const there = (await shell.doctor()).passes();
  assert.equal(there.report.endpoint.text, `unix://${aside}`);
  assert.match(there.check('endpoint').summary, /by DOCKER_HOST; there is another engine's socket/);
  const [back] = there.commands('endpoint');
  assert.equal(back, 'unset DOCKER_HOST');
  await shell.follow(back);
  assert.equal((await shell.doctor()).report.endpoint.text, `unix://${usual_socket}`);
  await other.end();
});

test('an engine at a place of its own is found, and used by a context', async () => {
  const shell = member();
  engine.stop();
  const other = new OtherEngine(`unix://${aside}`);
  await other.up();
  const found = (await shell.doctor()).names('socket', /there is no '\/var\/run\/docker.sock', but an engine's socket at '\/var\/run\/docker-alt.sock'/);
  const [once, always, start] = found.commands('socket');
  assert.equal(once, `export DOCKER_HOST=unix://${aside}`);
  await shell.follow(always);
  const used = (await shell.doctor()).passes();
  assert.equal(used.report.endpoint.source, "context 'other'");
  assert.equal((await shell.type('docker version')).code, 0);

  // That engine goes: the context leads to nothing, and the usual engine is back.
  await other.end();
  await shell.follow(start);
  await engine.up();
  const gone = (await shell.doctor()).names('socket', /there is no '\/var\/run\/docker-alt.sock', but/);
  assert.deepEqual(gone.commands('socket'), ['docker --context default context use default']);
  await shell.follow(...gone.commands('socket'));
  (await shell.doctor()).passes();
});

test("a user's own engine is found where rootless Docker listens", async () => {
  const user = new_user();
  const folder = `/run/user/${id_of(user)}`;
  engine.stop();
  root(`install -d -m 700 -o ${user} ${folder}`);
  const other = new OtherEngine(`unix://${folder}/docker.sock`);
  await other.up();
  root(`chown ${user}: ${folder}/docker.sock`);
  for (const variables of [{ XDG_RUNTIME_DIR: folder }, {}]) {
    const shell = new Session(user, variables);
    const found = (await shell.doctor()).names('socket', new RegExp(`but an engine's socket at '${folder}/docker.sock'`));
    const [once] = found.commands('socket');
    assert.equal(once, `export DOCKER_HOST=unix://${folder}/docker.sock`);
    await shell.follow(once);
    (await shell.doctor()).passes();
  }
  const shell = new Session(user);
  await shell.follow((await shell.doctor()).commands('socket')[1]);
  assert.equal((await shell.doctor()).passes().report.endpoint.source, "context 'rootless'");

  // Whoever has an engine of their own is not made as good as root for the other one.
  await engine.fresh();
  const user2 = new Session(user, { DOCKER_CONTEXT: 'default' });
  const refused = (await user2.doctor()).names('membership', /is not in group/);
  assert.equal(refused.commands('membership')[0], `export DOCKER_HOST=unix://${folder}/docker.sock`);
  await user2.type(`sudo gantry doctor --fix --yes --user ${user} 2>&1`);
  assert.equal(root(`id -nG ${user}`).trim(), user);
  // Under sudo it is the person's context that is looked at.
  const mine = await shell.doctor_of('sudo gantry doctor --fix --yes --json');
  assert.equal(mine.passes().report.endpoint.source, "context 'rootless'");
  await other.end();
});

test('a DOCKER_HOST that leads to nothing is taken away', async () => {
  const shell = member();
  for (const host of ['unix:///var/run/nothing.sock', 'tcp://127.0.0.1:1', 'unix:///etc/passwd', 'nonsense']) {
    await shell.follow(`export DOCKER_HOST=${host}`);
    const found = await shell.doctor();
    assert.equal(found.code, 2, host);
    const commands = found.commands(found.report.cause);
    assert.ok(commands.includes('unset DOCKER_HOST'), `${host}: ${commands}`);
    assert.ok(!commands.some((command) => /\b(rm|mv)\b/.test(command)), `${host}: ${commands}`);
    await shell.follow('unset DOCKER_HOST');
    (await shell.doctor()).passes();
  }
});

test('a context that is not there is left', async () => {
  const user = new_user('docker');
  mkdirSync(`${room}/homes/${user}/.docker`);
  writeFileSync(`${room}/homes/${user}/.docker/config.json`, '{"currentContext": "gone"}');
  root(`chown -R ${user}: ${room}/homes/${user}/.docker`);
  const shell = new Session(user);
  assert.notEqual((await shell.type('docker version >/dev/null 2>&1')).code, 0);
  const found = (await shell.doctor()).names('endpoint', /'gone'/);
  await shell.follow(...found.commands('endpoint'));
  (await shell.doctor()).passes();
  await shell.follow('docker version');

  await shell.follow('export DOCKER_CONTEXT=gone');
  const again = (await shell.doctor()).names('endpoint', /'gone'/);
  assert.deepEqual(again.commands('endpoint'), ['unset DOCKER_CONTEXT']);
  await shell.follow('unset DOCKER_CONTEXT');
  (await shell.doctor()).passes();
});

test('a socket that is open to everybody is a finding, and --fix opens none', async () => {
  const shell = new Session(new_user());
  root(`chmod 666 ${usual_socket}`);
  const found = (await shell.doctor()).names('socket_mode', /everybody on this machine can become root/);
  assert.equal(found.check('access').state, 'ok');
  await shell.type('sudo gantry doctor --fix --yes 2>&1');
  assert.equal(mode_of(usual_socket), '666');
  assert.deepEqual(found.commands('socket_mode'),
    [`sudo chmod 660 ${usual_socket}`, `sudo usermod -aG docker ${shell.user}`]);
  await shell.follow(...found.commands('socket_mode'));
  assert.equal(mode_of(usual_socket), '660');
  (await new Session(shell.user).doctor()).passes();
});

test('--fix leaves a closed socket closed', async () => {
  const shell = new Session(new_user());
  root(`chmod 600 ${usual_socket}`);
  const fixed = await shell.type('sudo gantry doctor --fix --yes 2>&1');
  assert.match(fixed.out, /nothing that this command could change/);
  assert.equal(mode_of(usual_socket), '600');
  const found = (await shell.doctor()).names('membership', /opens it for nobody/);
  await shell.follow(...found.commands('membership'));
  await engine.up();
  assert.equal(mode_of(usual_socket), '660');
  (await new Session(shell.user).doctor()).passes();
});

test('a folder on the way that the account may not enter is named', async () => {
  const shell = new Session(new_user('docker'));
  root(`install -d -m 700 ${room}/private`);
  const other = new OtherEngine(`unix://${room}/private/d.sock`);
  await other.up();
  const where = `--engine ${other.host} --user ${shell.user}`;
  const look = () => shell.doctor_of(`sudo gantry doctor --json ${where}`);
  const closed = new RegExp(`may not enter '${room}/private'`);
  const found = (await look()).names('access', closed);
  // An access control list lets this user through, and nobody else.
  const [where_it_stops, let_through] = found.commands('access');
  assert.match((await shell.type(where_it_stops)).out, /^drwx------ .* private$/m);
  await shell.follow(let_through);
  (await look()).passes();
  (await shell.doctor(`--engine ${other.host}`)).passes();
  // Another entry would give it a new mask, and let in whom this one keeps out.
  root(`setfacl -m m::- ${room}/private`);
  const masked = (await look()).names('access', closed);
  const [, what_it_says, ...more] = masked.commands('access');
  assert.deepEqual([what_it_says, more], [`getfacl ${room}/private`, []]);
  assert.match((await shell.type(what_it_says)).out, new RegExp(`^user:${shell.user}:--x\\s+#effective:---$`, 'm'));
  const hidden = await shell.doctor(`--engine ${other.host}`);
  hidden.names('socket', new RegExp(`can not be seen: '${room}/private' may not be entered`));
  // Its owner is judged first, and by no list.
  root(`setfacl -b ${room}/private; chown ${shell.user}: ${room}/private; chmod 600 ${room}/private`);
  const own = (await look()).names('access', closed);
  await shell.follow(own.commands('access').at(-1));
  assert.equal(mode_of(`${room}/private`), '700');
  (await look()).passes();
  await other.end();
});

test('an access control list lets in without the group, and its mask may shut out', async () => {
  const shell = new Session(new_user());
  root(`setfacl -m u:${shell.user}:rw ${usual_socket}`);
  const found = (await shell.doctor()).passes();
  assert.match(found.check('socket').summary, /with an access control list/);
  assert.match(found.check('membership').summary, /does not need it/);
  root(`setfacl -m m::r ${usual_socket}`);
  const masked = (await shell.doctor()).names('membership', /opens it for nobody/);
  await shell.follow(...masked.commands('membership'));
  await engine.up();
  (await new Session(shell.user).doctor()).passes();

  // By the mode its group could use it, but that is the list's mask.
  const other = new Session(new_user());
  root(`chmod 600 ${usual_socket}; setfacl -m u:${shell.user}:rw ${usual_socket}`);
  assert.equal(mode_of(usual_socket), '660');
  (await other.doctor()).names('membership', /opens it for nobody/);
  const fixed = await other.type('sudo gantry doctor --fix --yes 2>&1');
  assert.match(fixed.out, /nothing that this command could change/);
  assert.equal(root(`id -nG ${other.user}`).trim(), other.user);
});

test('an engine that listens without a password is a finding, on loopback, too', async () => {
  const shell = member();
  const settings = '/etc/default/docker';
  const usual = readFileSync(settings, 'utf8');
  const tcp = `-H unix://${usual_socket} -H tcp://127.0.0.1:23750 --tls=false`;
  try {
    writeFileSync(settings, usual.replace('DOCKER_OPTS="', `DOCKER_OPTS="${tcp} `));
    await engine.fresh();
    (await shell.doctor()).names('exposed', /TCP port is open without a password/);
    await shell.follow('export DOCKER_HOST=tcp://127.0.0.1:23750');
    const found = (await shell.doctor()).names('exposed', /without a password/);
    assert.notEqual(found.check('engine').state, 'failed');
    assert.match(found.check('exposed').remedy[0].what, /^take 'tcp:\/\/' out/);
    writeFileSync(settings, usual);
    await shell.follow(found.commands('exposed')[0]);
    await engine.up();
    const gone = (await shell.doctor()).names('engine', /nobody listens|nothing listens/);
    await shell.follow(gone.commands('engine').at(-1));
    (await shell.doctor()).passes();
  } finally {
    writeFileSync(settings, usual);
  }
});

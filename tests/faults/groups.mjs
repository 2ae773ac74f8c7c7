// A server whose own user is not in the group of the engine's socket: whoever asks hears the same
// diagnosis, with the user, the group and the command. A process that has the group can do all.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keys, Sshd, sshd_missing } from '../ways/sshd.mjs';
import { Server, socket, until } from './server.mjs';

const binary = process.env.GANTRY_BIN;
const image = 'gantry/sh:latest';
// An account and a group that every Debian has, and the one is not in the other.
const user = 'nobody';
const group = 'users';
const uid = number('passwd', user, 2);
const gid = number('group', group, 2);

function number(database, name, field) {
  const line = execFileSync('getent', [database, name], { encoding: 'utf8' });
  return Number(line.split(':')[field]);
}

if (process.getuid() !== 0) {
  assert.ok(!process.env.CI, 'only root can start a server as another user');
  console.log('SKIPPED: only root can start a server as another user');
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'gantry-groups-'));
chmodSync(folder, 0o755);
const guarded = join(folder, 'docker.sock');

/** The engine behind a socket of root's and the group's own. */
async function guard() {
  const guard = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ path: socket, allowHalfOpen: true });
    near.pipe(far).pipe(near);
    for (const [one, other] of [[near, far], [far, near]]) one.on('error', () => other.destroy());
  });
  await new Promise((done) => guard.listen(guarded, done));
  chownSync(guarded, 0, gid);
  chmodSync(guarded, 0o660);
  return guard;
}

/** What runs a program as that user, with these groups beside its own. */
const as_user = (...groups) => ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`,
  ...(groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')]), '--'];

/** The program, where that user may not enter its folder a copy of it. */
function program() {
  const [setpriv, ...words] = [...as_user(), 'test', '-x', binary];
  if (spawnSync(setpriv, words).status === 0) return binary;
  const copy = join(folder, 'gantry');
  copyFileSync(binary, copy);
  chmodSync(copy, 0o755);
  return copy;
}

/** `gantry WORDS` of this server: {status, said}. Its engine is reached through this process. */
function gantry(server, ...words) {
  const env = { PATH: process.env.PATH, GANTRY_SERVER: `http://127.0.0.1:${server.port}`,
    GANTRY_TOKEN: server.token };
  const child = spawn(binary, words, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece));
  return new Promise((done) => child.on('close', (status) => done({ status, said })));
}

/** Who is refused by which group, and what to do; in a container that is done from outside. */
function is_told(said, where) {
  assert.match(said, new RegExp(`user '${user}'.* is not in group '${group}' \\(${gid}\\)`), where);
  assert.match(said, new RegExp(`usermod -aG ${group} ${user}|--group-add ${gid}`), where);
}

async function host(server, wanted = 'local') {
  const { body } = await server.api('GET', '/api/v1/hosts');
  return body.items.find(({ name }) => name === wanted);
}

async function refused(server) {
  const { error } = await until('the state of the host', async () => {
    const seen = await host(server);
    return seen.error && seen;
  });
  assert.equal(error.code, 'engine_permission_denied');
  is_told(`${error.detail} ${error.remedy}`, 'GET /hosts');
  // The same words wherever somebody asks for what needs the engine.
  const words = `${error.detail}; ${error.remedy}`;
  const problem = await server.api('GET', '/api/v1/hosts/local/disk-usage');
  assert.deepEqual([problem.status, problem.body.code], [503, error.code], JSON.stringify(problem));
  assert.equal(`${problem.body.detail}; ${problem.body.remedy}`, words);

  const { body: accepted } = await server.api('POST', '/api/v1/executions',
    { language: 'sh', image, source: 'echo hello' });
  const ended = await until('the verdict', async () => {
    const { body } = await server.api('GET', `/api/v1/executions/${accepted.id}`);
    return body.verdict && body;
  });
  assert.deepEqual([ended.verdict, ended.error_code], ['infrastructure_error', error.code]);
  assert.equal(ended.message, words);

  const text = await gantry(server, 'exec', 'sh', '-c', 'echo hello');
  assert.equal(text.status, 125, text.said);
  assert.ok(text.said.includes(words), text.said);
  const json = await gantry(server, 'exec', '--json', 'sh', '-c', 'echo hello');
  assert.equal(json.status, 125, json.said);
  assert.equal(JSON.parse(json.said).message, words);
  const inside = await gantry(server, 'exec', '--container', '--host', 'local', 'nothing', 'ls');
  assert.match(inside.said, /on host 'local', which is away: 'gantry hosts doctor local' says why/);
  is_told((await gantry(server, 'ps')).said, 'gantry ps');
  const steps = await gantry(server, 'hosts', 'test', 'local');
  assert.notEqual(steps.status, 0, steps.said);
  is_told(steps.said, 'gantry hosts test');
}

/** A host by SSH, where somebody logs in who may not use the socket: the doctor looks there. */
async function refused_far(server) {
  const sshd = await new Sshd().start({ user });
  const keys = new Keys();
  try {
    // Folders of this test are root's; that user reads the keys that let it in.
    chmodSync(sshd.folder, 0o755);
    chmodSync(sshd.file('authorized_keys'), 0o644);
    const identity = keys.make('mine');
    sshd.accept(keys.public('mine'));
    const added = await server.api('POST', '/api/v1/hosts',
      { name: 'far', endpoint: sshd.endpoint(guarded), ssh: { identity } });
    assert.equal(added.status, 201, JSON.stringify(added.body));
    const trusted = await server.api('POST', '/api/v1/hosts/far/trust',
      { fingerprint: sshd.fingerprint() });
    assert.equal(trusted.status, 200, JSON.stringify(trusted.body));
    const { error } = await until('why the far host can not be used', async () => {
      const seen = await host(server, 'far');
      return seen.error?.code === 'ssh_remote_socket_permission' && seen;
    });
    is_told(`${error.detail} ${error.remedy}`, 'GET /hosts, the far one');
    const problem = await server.api('GET', '/api/v1/hosts/far/disk-usage');
    assert.deepEqual([problem.body.code, problem.body.detail, problem.body.remedy],
      [error.code, error.detail, error.remedy]);
    const steps = await gantry(server, 'hosts', 'test', 'far');
    is_told(steps.said, 'gantry hosts test far');
    assert.equal((await server.api('DELETE', '/api/v1/hosts/far')).status, 204);
  } finally {
    sshd.stop();
    keys.remove();
  }
}

async function let_in(server) {
  await until('the connection to the engine',
    async () => (await host(server)).state === 'connected');
  const { status, said } = await gantry(server, 'exec', '--image', image, '--', 'echo', 'hello');
  assert.equal(status, 0, said);
  assert.match(said, /hello/);
  for (const words of [['ps'], ['hosts', 'test', 'local']]) {
    const one = await gantry(server, ...words);
    assert.equal(one.status, 0, one.said);
    assert.doesNotMatch(one.said, /is not in group/);
  }
}

const engine = await guard();
const server = new Server(guarded, [...as_user(), program()]);
chownSync(server.data, uid, uid);
try {
  await server.start();
  await refused(server);
  const cause = sshd_missing();
  assert.ok(cause === '' || !process.env.CI, cause);
  if (cause === '') await refused_far(server);
  else console.log(`SKIPPED the far host: ${cause}`);
  await server.end();
  server.command = [...as_user(gid), server.command.at(-1)];
  await server.start();
  await let_in(server);
} finally {
  await server.end();
  engine.close();
  server.remove_data();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`user '${user}' without group '${group}': all are told the same; with it all works`);

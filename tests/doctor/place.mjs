// What happens in the private world: people who log in, engines, and what the doctor says to them.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { after } from 'node:test';

export const room = process.env.GANTRY_ROOM;
export const usual_socket = '/var/run/docker.sock';
const patience_ms = 180_000;  // only so that a test that fails ends
const login_path = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(look, what) {
  const deadline = Date.now() + patience_ms;
  while (!(await look())) {
    assert.ok(Date.now() < deadline, `not within ${patience_ms} ms: ${what}`);
    await pause(50);
  }
}

/** Runs a line of shell as root and answers what it says. */
export function root(line) {
  return execFileSync('bash', ['-ec', line], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const children = new Set();
function kept(child) {
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}
// What a failed test has left.
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

let users = 0;
/** A new account, in the named groups; answers its name. */
export function new_user(...groups) {
  users += 1;
  const name = `user${process.pid}x${users}`;
  root(`useradd --create-home --home-dir ${room}/homes/${name} --shell /bin/bash ${name}`);
  for (const group of groups) root(`usermod -aG ${group} ${name}`);
  return name;
}
export const id_of = (name) => Number(root(`id -u ${name}`));
export const gid_of = (group) => Number(root(`getent group ${group} | cut -d: -f3`));
export const groups_file = () => readFileSync('/etc/group', 'utf8');
export const mode_of = (path) => (statSync(path).mode & 0o777).toString(8);

/** What the doctor has said, with its exit code. */
export class Findings {
  constructor(code, text) {
    this.code = code;
    try {
      this.report = JSON.parse(text);
    } catch {
      assert.fail(`no report, but exit code ${code} and '${text}'`);
    }
    const expected = { ok: 0, note: 0, warning: 1, failed: 2 }[this.report.state];
    assert.equal(code, expected, `exit code of ${this.report.state}`);
  }

  check(id) {
    const found = this.report.checks.find((one) => one.id === id);
    assert.ok(found, `there is no check '${id}'`);
    return found;
  }

  commands(id) {
    return this.check(id).remedy.flatMap((step) => (step.command ? [step.command] : []));
  }

  /** The cause is this check, in these words. */
  names(id, words) {
    assert.equal(this.report.cause, id, JSON.stringify(this.report.checks, null, 1));
    assert.equal(this.code, 2);
    assert.match(this.check(id).summary, words);
    return this;
  }

  passes() {
    const failed = this.report.checks.filter((one) => one.state === 'failed');
    assert.deepEqual(failed, []);
    assert.equal(this.report.cause, null);
    return this;
  }
}

/** Somebody who is logged in, at a shell. Groups are those of the account at this moment. */
export class Session {
  said = '';
  typed = 0;

  constructor(user, variables = {}) {
    this.user = user;
    const home = user === 'root' ? `${room}/homes/root` : `${room}/homes/${user}`;
    const as_user = ['--reuid', user, '--regid', user, '--init-groups', '/bin/bash'];
    this.shell = kept(spawn('/usr/bin/setpriv', as_user, {
      cwd: home,
      env: { HOME: home, USER: user, SHELL: '/bin/bash', PATH: login_path, ...variables },
      stdio: ['pipe', 'pipe', 'inherit'],
    }));
    this.pid = this.shell.pid;
    this.shell.stdout.setEncoding('utf8').on('data', (piece) => (this.said += piece));
  }

  /** Types a line; answers {code, out} once it has ended. */
  async type(line) {
    this.typed += 1;
    const mark = `--- ${this.pid} ${this.typed} ended with`;
    this.said = '';
    this.shell.stdin.write(`${line}\nended=$?; echo; echo "${mark} $ended"\n`);
    await until(() => this.said.includes(mark) && this.said.endsWith('\n'), `the end of '${line}'`);
    const [out, code] = this.said.split(`\n${mark} `);
    return { code: Number(code), out };
  }

  doctor(words = '') {
    return this.doctor_of(`gantry doctor --json ${words}`);
  }
  /** The report of a line that ends in one. */
  async doctor_of(line) {
    const { code, out } = await this.type(line);
    return new Findings(code, out);
  }

  /** Types what the doctor has printed, and it works. */
  async follow(...commands) {
    for (const command of commands) {
      const { code, out } = await this.type(`${command} 2>&1`);
      assert.equal(code, 0, `'${command}': ${out}`);
    }
  }

  end() {
    this.shell.stdin.end();
  }
}

const answers = (socket) =>
  spawnSync('docker', ['-H', `unix://${socket}`, 'version'], { stdio: 'ignore' }).status === 0;

/** The engine of the usual place, as the machine starts it. */
export const engine = {
  async up() {
    await until(() => answers(usual_socket), 'the answer of the engine');
  },
  /** As every test expects it; what a failed one has left is mended. */
  async ready() {
    for (const other of [...others]) await other.end();
    const usual = `test "$(stat -c '%F %a %G' ${usual_socket})" = 'socket 660 docker'`;
    const no_list = `getfacl -c ${usual_socket} | wc -l | grep -qx 4`;
    const fine = spawnSync('bash', ['-c', `${usual} && ${no_list}`], { stdio: 'ignore' }).status === 0;
    if (!fine || !answers(usual_socket)) await this.fresh();
  },
  /** Running, with the socket that it makes. */
  async fresh() {
    root(`service docker stop; rm -rf ${usual_socket}
      getent group docker >/dev/null || groupadd --system docker
      service docker start`);
    await this.up();
  },
  stop: () => root('service docker stop'),
  /** Until it has gone the kernel takes connections for it. */
  async kill() {
    const pid = root('cat /var/run/docker.pid').trim();
    process.kill(Number(pid), 'SIGKILL');
    await until(() => !existsSync(`/proc/${pid}/exe`), 'the end of the engine');
  },
};

const others = new Set();
/** Another engine, with an endpoint of the test's choice. */
export class OtherEngine {
  constructor(host, ...words) {
    this.host = host;
    this.folder = `${room}/data/other`;
    root(`mkdir -p ${this.folder}`);
    this.process = kept(spawn('dockerd', ['--host', host, '--data-root', `${this.folder}/data`,
      '--exec-root', `${this.folder}/exec`, '--pidfile', `${this.folder}/pid`, '--bridge=none',
      '--iptables=false', '--ip6tables=false', '--containerd-namespace', 'other',
      '--containerd-plugins-namespace', 'plugins.other', ...words], { stdio: 'ignore' }));
    this.exited = new Promise((done) => this.process.on('exit', done));
    others.add(this);
  }

  async up() {
    await until(() => spawnSync('docker', ['-H', this.host, 'version'], { stdio: 'ignore' }).status === 0,
      `the answer of the engine at ${this.host}`);
  }

  async end() {
    others.delete(this);
    this.process.kill('SIGTERM');
    await this.exited;
    if (this.host.startsWith('unix://')) rmSync(this.host.slice('unix://'.length), { force: true });
  }
}

const image = 'world';
/** An image that has nothing but places for the machine's programs; for the engine at `host`. */
export function make_image(host = `unix://${usual_socket}`) {
  const folder = `${room}/image`;
  root(`rm -rf ${folder}; mkdir -p ${folder}/usr ${folder}/etc ${folder}/tmp
    for name in bin lib lib64 sbin; do ln -s usr/$name ${folder}/$name; done
    tar -C ${folder} -c . | docker -H ${host} import - ${image} >/dev/null`);
}
/** What comes after `docker run` and its first options. */
export const run_words = (command, options = '') =>
  `--rm --network none -v /usr:/usr:ro ${options} ${image} ${command}`;

// The engine behind the server: its API over the Unix socket, control containers, hostile images.
import assert from 'node:assert/strict';
import http from 'node:http';

const socket = process.env.GANTRY_TEST_ENGINE.replace('unix://', '');
const label = { 'io.gantry.test': 'abuse' };
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** One exchange with any HTTP server; `body` is a Buffer, a string or nothing. */
export function exchange(options, body) {
  return new Promise((done, failed) => {
    const request = http.request({ agent: false, timeout: 120_000, ...options }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', failed);
      answer.on('end', () => done({
        status: answer.statusCode, headers: answer.headers, raw: Buffer.concat(pieces) }));
    });
    request.on('error', failed);
    request.on('timeout', () => request.destroy(new Error('no answer within 120 s')));
    request.end(body);
  });
}

/** One call of the engine's API; `json` is sent as such, a Buffer as a tar. */
export async function engine(method, path, json, more = {}) {
  const tar = Buffer.isBuffer(json);
  const body = json === undefined || tar ? json : JSON.stringify(json);
  const type = tar ? 'application/x-tar' : 'application/json';
  const headers = body === undefined ? more : { 'content-type': type,
    'content-length': Buffer.byteLength(body), ...more };
  const { status, raw } = await exchange({ socketPath: socket, method, path: `/v1.41${path}`,
    headers }, body);
  return { status, raw, json: () => JSON.parse(raw.toString()) };
}

/** A tar of {path, content, mode, link}. */
export function tar(entries) {
  const blocks = [];
  for (const { path, content = '', mode = 0o755, link = '', folder = false } of entries) {
    const data = Buffer.from(content);
    const head = Buffer.alloc(512);
    head.write(path, 0, 100);
    head.write(`${mode.toString(8).padStart(7, '0')}\0${'0'.repeat(7)}\0${'0'.repeat(7)}\0`, 100);
    head.write(`${data.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
    head.write(' '.repeat(8), 148);
    head.write(link !== '' ? '2' : folder ? '5' : '0', 156);
    head.write(link, 157, 100);
    head.write('ustar\x0000', 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(head, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** What an engine's stream of frames says, standard output and error in one. */
function text_of(frames) {
  const pieces = [];
  for (let at = 0; at + 8 <= frames.length;) {
    const size = frames.readUInt32BE(at + 4);
    pieces.push(frames.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return Buffer.concat(pieces).toString('latin1');
}

const unhardened = {
  SecurityOpt: ['seccomp=unconfined'],
  MaskedPaths: [], ReadonlyPaths: [],
  Memory: 1 << 30, MemorySwap: 1 << 30, PidsLimit: 2000,  // so that the machine survives it
  LogConfig: { Type: 'json-file', Config: { 'max-size': '1g', 'max-file': '1' } },
};
let capabilities = null;

async function create(image, script, env, changes) {
  const answer = await engine('POST', '/containers/create', {
    Image: image, Entrypoint: ['sh', '-c', script], Cmd: [], User: '0:0', WorkingDir: '/box',
    Env: env, Labels: label, HostConfig: { ...unhardened, ...capabilities, ...changes },
  });
  assert.equal(answer.status, 201, answer.raw.toString());
  return answer.json().Id;
}

export async function remove(id) {
  const { status, raw } = await engine('DELETE', `/containers/${id}?force=1&v=1`);
  assert.ok([204, 404].includes(status), raw.toString().slice(0, 300));
}

/** All capabilities, without those that this engine itself has not. */
async function find_capabilities() {
  for (const dropped of [[], ['SYS_RESOURCE']]) {
    capabilities = { CapAdd: ['ALL'], CapDrop: dropped };
    const id = await create('gantry/sh:latest', 'true', [], {});
    const { status } = await engine('POST', `/containers/${id}/start`);
    await remove(id);
    if (status === 204) return;
  }
  capabilities = {};
}

/** Runs `script` with `files` in /box in a container that nothing holds back: root, every
 * capability, no seccomp, a writable root. Answers {output, running} after at most `ms`. */
export async function control(image, script, files, { ms = 4000, env = [], host = {} } = {}) {
  if (capabilities === null) await find_capabilities();
  const id = await create(image, script, env, host);
  try {
    const entries = files.map(({ path, content, executable }) => (
      { path: `box/${path}`, content, mode: executable ? 0o755 : 0o644 }));
    const put = await engine('PUT', `/containers/${id}/archive?path=/`, tar(entries));
    assert.equal(put.status, 200, put.raw.toString());
    const started = await engine('POST', `/containers/${id}/start`);
    assert.equal(started.status, 204, started.raw.toString());
    const ended = engine('POST', `/containers/${id}/wait`).then(() => true, () => true);
    const running = !(await Promise.race([ended, pause(ms).then(() => false)]));
    const logs = await engine('GET', `/containers/${id}/logs?stdout=1&stderr=1`);
    if (running) await engine('POST', `/containers/${id}/kill`);
    return { output: text_of(logs.raw), running };
  } finally {
    await remove(id);
  }
}

/** An image of `entries` alone. */
export async function import_image(name, entries, changes = []) {
  const more = changes.map((change) => `&changes=${encodeURIComponent(change)}`).join('');
  const { status, raw } = await engine('POST', `/images/create?fromSrc=-&repo=${name}${more}`,
    tar(entries));
  assert.ok(status === 200 && !raw.includes('"error"'), raw.toString());
}

/** gantry/sh after `script` and with `changes` to its configuration. */
export async function commit_image(name, script, changes) {
  const id = await create('gantry/sh:latest', script, [], {});
  try {
    await engine('POST', `/containers/${id}/start`);
    await engine('POST', `/containers/${id}/wait`);
    const more = changes.map((change) => `&changes=${encodeURIComponent(change)}`).join('');
    const { status, raw } = await engine('POST', `/commit?container=${id}&repo=${name}${more}`, {});
    assert.equal(status, 201, raw.toString());
  } finally {
    await remove(id);
  }
}

export async function has_image(name) {
  return (await engine('GET', `/images/${name}/json`)).status === 200;
}

export async function remove_image(name) {
  await engine('DELETE', `/images/${name}?force=1`);
}

/** Collects the ids of all containers with this label from now on. */
export function watch_containers(wanted) {
  const ids = new Set();
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], label: [wanted],
    event: ['create'] }));
  const request = http.get({ socketPath: socket, path: `/v1.41/events?filters=${filters}` });
  request.on('error', () => {});
  request.on('response', (answer) => {
    let rest = '';
    answer.on('error', () => {});
    answer.on('data', (piece) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop();
      for (const line of lines) ids.add(JSON.parse(line).Actor.ID);
    });
  });
  return { ids, stop: () => request.destroy() };
}

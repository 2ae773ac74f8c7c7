// Clients of script-executor-server and of Piston, as their documents show them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../faults/server.mjs';

const server = new Server();
let url;

before(async () => {
  await server.start();
  url = `http://127.0.0.1:${server.port}`;
});
after(() => server.stop('SIGTERM'));

const json = (path, body, headers = {}) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const answer = async (...request) => (await json(...request)).json();
const execute = (body) => answer('/execute', body);
const piston = (body) => answer('/api/v2/execute', { version: '*', ...body });

test('script-executor-server: health, and what its deploy.sh looks for', async () => {
  assert.match(await (await fetch(`${url}/health`)).text(), /healthy/);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /pool_size/);
  const text = await (await json('/execute', { script: 'echo test' })).text();
  assert.match(text, /success.*true/);
});

test('script-executor-server: a script with input, an error and an exit code', async () => {
  const script = 'echo "Hello World"\npwd\ncat\necho no >&2\nexit 3';
  const ended = await execute({ script, stdin: 'typed\n' });
  assert.equal(ended.stdout, 'Hello World\n/box\ntyped\n');
  assert.equal(ended.stderr, 'no\n');
  assert.equal(ended.exit_code, 3);
  assert.equal(ended.success, false);
  assert.equal(ended.error, null);
});

test('script-executor-server: another image', async () => {
  const ended = await execute({ script: 'python3 --version', image: 'python:3.11-alpine' });
  assert.match(ended.stdout, /^Python 3\./);
});

// Python's zipfile made it: sum.py, deflated.
const archive = Buffer.from(
  'UEsDBBQAAAAIAAAAIVDJkW9ZIwAAACQAAAAGAAAAc3VtLnB5KyjKzCvRKC7N1chNLNAAsnUUlAwVjJT0igty'
    + 'Mks0NIGACwBQSwECFAMUAAAACAAAACFQyZFvWSMAAAAkAAAABgAAAAAAAAAAAAAAgAEAAAAAc3VtLnB5UEsF'
    + 'BgAAAAABAAEANAAAAEcAAAAAAA==',
  'base64');

test('script-executor-server: files and an archive', async () => {
  const form = new FormData();
  form.set('script', 'cat /workspace/files/data.csv; ls files');
  form.append('files', new Blob(['a,b\n1,2\n']), 'data.csv');
  form.append('files', new Blob([archive]), 'code.zip');
  const ended = await (await fetch(`${url}/execute`, { method: 'POST', body: form })).json();
  assert.equal(ended.stdout, 'a,b\n1,2\ndata.csv\nsum.py\n');
  assert.deepEqual(ended.files_attached, ['data.csv', 'code.zip (ZIP - 1 files extracted)']);
  assert.deepEqual(ended.zip_extractions,
    [{ zip_file: 'code.zip', extracted_count: 1, extracted_files: ['sum.py'] }]);
});

test('script-executor-server: a file that may not be attached', async () => {
  const form = new FormData();
  form.set('script', 'true');
  form.append('files', new Blob(['x']), 'tool.exe');
  const refused = await fetch(`${url}/execute`, { method: 'POST', body: form });
  assert.equal(refused.status, 400);
  assert.deepEqual(await refused.json(),
    { success: false, error: 'Failed to process file: tool.exe' });
});

test('Piston: its documented example', async () => {
  const ended = await piston({
    language: 'js',
    files: [{ name: 'my_cool_code.js', content: 'console.log(process.argv.slice(2))' }],
    stdin: '', args: ['1', '2', '3'], compile_timeout: 10000, run_timeout: 3000,
    compile_memory_limit: -1, run_memory_limit: -1,
  });
  assert.equal(ended.language, 'javascript');
  assert.equal(ended.run.stdout, "[ '1', '2', '3' ]\n");
  assert.equal(ended.run.code, 0);
  assert.equal(ended.run.status, null);
  assert.ok(ended.run.memory > 0 && ended.run.wall_time > 0);
});

const python = (content, more = {}) =>
  piston({ language: 'python', files: [{ content }], ...more });

test('Piston: how programs end', async () => {
  const status = async (content, more) => {
    const { run } = await python(content, more);
    return `${run.status} ${run.signal} ${run.code} ${run.message}`;
  };
  assert.equal(await status('import sys; sys.exit(3)'), 'RE null 3 Exited with error status 3');
  assert.equal(await status('import os; os.kill(os.getpid(), 11)'),
    'SG SIGSEGV null Caught fatal signal 11');
  assert.equal(await status('import time; time.sleep(9)', { run_timeout: 300 }),
    'TO SIGKILL null Time limit exceeded (wall clock)');
  assert.equal(await status('while True: print("1" * 9999)'),
    'OL SIGKILL null stdout length exceeded');
  assert.equal(await status('import sys\nwhile True: sys.stderr.write("x" * 9999)'),
    'EL SIGKILL null stderr length exceeded');
});

test('Piston: files, encodings, input', async () => {
  const { run } = await python('print(input(), open("d/a.bin", "rb").read())', {
    files: [{ name: 'main.py', content: 'print(input(), open("d/a.bin", "rb").read())' },
      { name: 'd/a.bin', content: 'AAE=', encoding: 'base64' }],
    stdin: 'line',
  });
  assert.equal(run.stdout, "line b'\\x00\\x01'\n");
});

test('Piston: runtimes and packages, also where its public server had them', async () => {
  for (const path of ['/api/v2/runtimes', '/api/v2/piston/runtimes']) {
    const runtimes = await (await fetch(`${url}${path}`)).json();
    assert.ok(runtimes.some((one) => one.language === 'python' && one.aliases.includes('py')));
  }
  const packages = await (await fetch(`${url}/api/v2/packages`)).json();
  assert.ok(packages.every((one) => one.installed && one.language_version));
});

test('Piston: pages of listed origins', async () => {
  const body = { language: 'python', version: '*', files: [{ content: 'print(1)' }] };
  const listed = await json('/api/v2/execute', body, { Origin: 'https://editor.example.org' });
  assert.equal(listed.headers.get('access-control-allow-origin'), 'https://editor.example.org');
  const other = await json('/api/v2/execute', body, { Origin: 'https://other.example' });
  assert.equal(other.status, 403);
});

/** Everything a job's socket says; `react` answers messages. */
function converse(first, react = () => null) {
  return new Promise((done) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v2/connect`);
    const said = [];
    socket.onopen = () => socket.send(JSON.stringify(first));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      said.push(message);
      const reply = react(message);
      if (reply) socket.send(JSON.stringify(reply));
    };
    socket.onclose = ({ code, reason }) => done({ said, end: `${code} ${reason}` });
  });
}
const init = (content) =>
  ({ type: 'init', language: 'python', version: '3.x', files: [{ content }] });

test('Piston: typing to a job', async () => {
  const { said, end } = await converse(init("print('Hello', input())"), (message) =>
    message.stage === 'run' && message.type === 'stage'
      ? { type: 'data', stream: 'stdin', data: 'World\n' } : null);
  // A program's output may come in several pieces.
  const kinds = said.map((one) => one.type).filter((type, i, all) => type !== all[i - 1]);
  assert.deepEqual(kinds, ['runtime', 'stage', 'data', 'exit']);
  assert.equal(said.map((one) => one.data ?? '').join(''), 'Hello World\n');
  assert.deepEqual(said.at(-1), { type: 'exit', stage: 'run', code: 0, signal: null });
  assert.equal(end, '4999 Job Completed');
});

test('Piston: a signal', async () => {
  const { said } = await converse(init('import time\nprint(1, flush=True)\ntime.sleep(9)'),
    (message) => (message.type === 'data' ? { type: 'signal', signal: 'SIGTERM' } : null));
  assert.deepEqual(said.at(-1), { type: 'exit', stage: 'run', code: null, signal: 'SIGTERM' });
});

test('Piston: a mistake on the socket', async () => {
  const { end } = await converse({ type: 'data', stream: 'stdin', data: 'x' });
  assert.equal(end, '4003 Not yet initialized');
});

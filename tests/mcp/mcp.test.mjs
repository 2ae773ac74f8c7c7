// The official SDK as a client of both transports.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { Server, until } from '../faults/server.mjs';

const server = new Server();
const socket = process.env.GANTRY_TEST_ENGINE.replace('unix://', '');
let url;
/** A container of the test's own, that has said something. */
let talker;

before(async () => {
  await server.start();
  url = new URL(`http://127.0.0.1:${server.port}/mcp`);
  talker = await start_talker();
  // What the server knows of its host follows the engine's events.
  await until('the server sees it', async () => {
    const { body } = await server.api('GET', '/api/v1/containers?host=local&state=running');
    return body.items.some(({ id }) => id === talker.id);
  });
});
after(async () => {
  await engine('DELETE', `/containers/${talker.id}?force=1`);
  await server.stop('SIGTERM');
  server.remove_data();
});

function engine(method, path, body) {
  return new Promise((done, failed) => {
    const request = http.request({
      socketPath: socket, method, path: `/v1.41${path}`, agent: false,
      headers: { 'content-type': 'application/json' },
    }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => {
        if (answer.statusCode >= 400) failed(new Error(`${method} ${path}: ${text}`));
        else done(text === '' ? null : JSON.parse(text));
      });
    });
    request.on('error', failed);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function start_talker() {
  const name = `gantry-test-talker-${process.pid}`;
  const { Id: id } = await engine('POST', `/containers/create?name=${name}`, {
    Image: 'gantry/sh:latest',
    Cmd: ['sh', '-c', 'i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo "line $i"; done; sleep 600'],
    Labels: { 'io.gantry.test': 'mcp' },
  });
  await engine('POST', `/containers/${id}/start`);
  return { id, name };
}

const http_transport = () => new StreamableHTTPClientTransport(url, {
  requestInit: { headers: { authorization: `Bearer ${server.token}` } },
});
const stdio_transport = () => new StdioClientTransport({
  command: process.env.GANTRY_BIN,
  args: ['mcp', '--server', `http://127.0.0.1:${server.port}`, '--data-dir', server.data],
});

async function connected(transport) {
  const client = new Client({ name: 'gantry-test', version: '1.0.0' });
  await client.connect(transport);
  return client;
}

for (const [name, transport] of [['http', http_transport], ['stdio', stdio_transport]]) {
  describe(`over ${name}`, () => {
    let client;
    before(async () => (client = await connected(transport())));
    after(() => client.close());

    test('it introduces itself', () => {
      assert.equal(client.getServerVersion().name, 'gantry');
      assert.ok(client.getServerCapabilities().tools);
      assert.match(client.getInstructions(), /sandbox/);
    });

    test('it answers pings', async () => {
      assert.deepEqual(await client.ping(), {});
    });

    test('it lists its tools with schemas', async () => {
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map((tool) => tool.name),
        ['execute_code', 'list_languages', 'list_containers', 'read_logs']);
      const execute = tools[0];
      assert.deepEqual(execute.inputSchema.required, ['language', 'code']);
      assert.equal(execute.inputSchema.properties.limits.properties.wall_time_ms.minimum, 1);
      assert.equal(execute.annotations.readOnlyHint, false);
      assert.equal(tools[1].annotations.readOnlyHint, true);
    });

    test('it runs a program', async () => {
      const result = await client.callTool({
        name: 'execute_code',
        arguments: {
          language: 'python',
          code: 'import sys; print(input(), open("data/a.txt").read()); sys.exit(3)',
          stdin: 'in\n',
          files: [{ path: 'data/a.txt', content: 'file' }],
        },
      });
      assert.equal(result.isError, false);
      assert.equal(result.structuredContent.verdict, 'failed');
      assert.equal(result.structuredContent.exit_code, 3);
      assert.equal(result.structuredContent.stdout, 'in file\n');
      assert.match(result.content[0].text, /^verdict: failed\nexit code: 3\n/);
    });

    test('a limit ends a program', async () => {
      const { structuredContent } = await client.callTool({
        name: 'execute_code',
        arguments: { language: 'sh', code: 'sleep 60', limits: { wall_time_ms: 300 } },
      });
      assert.equal(structuredContent.verdict, 'timed_out');
    });

    test('bad arguments are an error of the tool that names the field', async () => {
      const result = await client.callTool({
        name: 'execute_code',
        arguments: { language: 'python', code: '', limits: { pids: 1 } },
      });
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, /limits\.pids/);
    });

    test('an unknown tool is an error of the protocol', async () => {
      await assert.rejects(client.callTool({ name: 'rm', arguments: {} }), { code: -32602 });
    });

    test('it lists languages', async () => {
      const { structuredContent } = await client.callTool({ name: 'list_languages' });
      assert.ok(structuredContent.languages.some((one) => one.name === 'python'));
    });

    test('it lists containers and reads the end of a log', async () => {
      const { structuredContent } = await client.callTool({ name: 'list_containers' });
      const found = structuredContent.items.find((one) => one.name === talker.name);
      assert.equal(found.id, talker.id);
      const logs = await until('all that it says', async () => {
        const read = await client.callTool({
          name: 'read_logs', arguments: { container: talker.name, tail: 2 },
        });
        return (read.isError || read.structuredContent.log.endsWith('line 20\n')) && read;
      });
      assert.equal(logs.isError, false);
      assert.equal(logs.structuredContent.log, 'line 19\nline 20\n');
    });

    test('a container that is not there is an error of the tool', async () => {
      const result = await client.callTool({
        name: 'read_logs', arguments: { container: 'no-such-thing' },
      });
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, /no-such-thing/);
    });

    test('programs run beside each other', async () => {
      const results = await Promise.all([1, 2, 3].map((n) => client.callTool({
        name: 'execute_code', arguments: { language: 'sh', code: `echo ${n}` },
      })));
      assert.deepEqual(results.map((one) => one.structuredContent.stdout), ['1\n', '2\n', '3\n']);
    });
  });
}

/** Waits until nothing runs any more. */
function all_ended() {
  return until('all have ended', async () => {
    const { body } = await server.api('GET', '/api/v1/executions');
    return body.items.every((item) => item.state === 'finished') && body.items;
  });
}

function until_running() {
  return until('a program runs', async () => {
    const { body } = await server.api('GET', '/api/v1/executions');
    return body.items.some((item) => item.state === 'running');
  });
}

for (const [name, transport] of [['http', http_transport], ['stdio', stdio_transport]]) {
  test(`a request that is taken back over ${name} takes its program with it`, async () => {
    const client = await connected(transport());
    const abort = new AbortController();
    const limits = { wall_time_ms: 60_000 };
    const calling = client.callTool({
      name: 'execute_code', arguments: { language: 'sh', code: 'sleep 60', limits },
    }, undefined, { signal: abort.signal });
    const refused = assert.rejects(calling);
    await until_running();
    abort.abort();
    await refused;
    assert.equal((await all_ended())[0].verdict, 'cancelled');
    await client.close();
  });
}

test('a wrong token is refused before anything else', async () => {
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { authorization: 'Bearer gantry_wrong' } },
  });
  await assert.rejects(connected(transport), /token|401/);
});

test('the example of the documentation works', async () => {
  const page = readFileSync(new URL('../../docs/fronts/mcp.md', import.meta.url), 'utf8');
  const code = /```javascript\n(.*?)```/s.exec(page)[1].replace('http://127.0.0.1:5920/mcp', url);
  const child = spawn(process.execPath, ['--input-type=module'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, GANTRY_TOKEN: server.token },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (piece) => (said += piece));
  child.stdin.end(code);
  await new Promise((done) => child.on('close', done));
  assert.equal(said, '42\n\n');
});

test('the bridge answers what was asked before its end, without a server too', async () => {
  const bridge = spawn(process.env.GANTRY_BIN, ['mcp', '--server', 'http://127.0.0.1:1']);
  let said = '';
  bridge.stdout.on('data', (piece) => (said += piece));
  const exited = new Promise((done) => bridge.on('exit', done));
  bridge.stdin.end('{"jsonrpc":"2.0","id":"a","method":"ping"}');
  assert.equal(await exited, 0);
  const answer = JSON.parse(said);
  assert.equal(answer.id, 'a');
  assert.equal(answer.error.code, -32000);
  assert.match(answer.error.message, /cannot reach the server at 'http:\/\/127\.0\.0\.1:1'/);
});

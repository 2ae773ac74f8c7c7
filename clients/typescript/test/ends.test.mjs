// Streams of a server that does not always come to the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConnectionError, GantryClient, PermissionError } from 'gantry-client';

const entry = (text) => `event: stdout\ndata: ${JSON.stringify({ text })}\n\n`;
const end = (reason) => `event: end\ndata: {"reason":"${reason}"}\n\n`;

/** A host whose every stream is this. */
function host_that_says(body) {
  const headers = { 'content-type': 'text/event-stream' };
  const fetch = async () => new Response(body, { headers });
  return new GantryClient({ baseUrl: 'http://127.0.0.1:1', token: 'none', fetch }).host();
}

/** What is read of it, and what it ends with. */
async function read(entries) {
  const texts = [];
  try {
    for await (const { text } of entries) texts.push(text);
  } catch (error) {
    return { texts, error };
  }
  return { texts };
}

const logs_of = (body) => host_that_says(body).container('web').logs({ follow: true });

test('a log that says that it has ended has ended', async () => {
  assert.deepEqual(await read(logs_of(entry('one') + end('ended'))), { texts: ['one'] });
});

test('a log that stops without an end is broken', async () => {
  const { texts, error } = await read(logs_of(entry('one')));
  assert.deepEqual(texts, ['one']);
  assert.ok(error instanceof ConnectionError, String(error));
  assert.equal(error.code, 'stream_broken');
});

test('what stops for the server or for a right that has gone says so', async () => {
  const stopped = await read(logs_of(entry('one') + end('server_stopping')));
  assert.ok(stopped.error instanceof ConnectionError, String(stopped.error));
  assert.equal(stopped.error.code, 'server_stopping');
  const taken = await read(logs_of(end('not_allowed')));
  assert.ok(taken.error instanceof PermissionError, String(taken.error));
});

test('readings and the log of a project need an end too', async () => {
  const host = host_that_says('');
  for (const stream of [host.container('web').stats(), host.project('shop').logs()]) {
    assert.equal((await read(stream)).error?.code, 'stream_broken');
  }
  const whole = host_that_says(end('not_running')).container('web').stats();
  assert.deepEqual(await read(whole), { texts: [] });
});

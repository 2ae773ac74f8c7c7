// What the pages and the dashboard name is what a server tells.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { Server, folder } from './place.mjs';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
const names_in = (text) => new Set(text.match(/\bgantry_[a-z_]+\b/g));
const documented = new Set([...page.matchAll(/^\| `(gantry_[a-z_]+)` \|/gm)].map(([, name]) => name));

function promtool(words, input) {
  const ended = spawnSync('promtool', words, { encoding: 'utf8', input });
  const missing = ended.error?.code === 'ENOENT';
  assert.ok(!missing || !process.env.CI, 'promtool is not installed');
  return missing ? null : ended;
}

/** What a server tells after a request or two. */
async function told() {
  const server = new Server(folder());
  await server.start();
  await server.api('GET', '/api/v1/system');
  const text = await new Promise((done, failed) => {
    http.get({ host: '127.0.0.1', port: server.port, path: '/metrics', agent: false,
      headers: { authorization: `Bearer ${server.token}`, accept: 'text/plain' } }, (answer) => {
      let all = '';
      answer.on('data', (piece) => (all += piece));
      answer.on('end', () => done(all));
    }).on('error', failed);
  });
  await server.stop();
  return text;
}

test('a server tells what the page names, and nothing else', async () => {
  const text = await told();
  const families = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
  assert.deepEqual([...families].sort(), [...documented].sort());
  const checked = promtool(['check', 'metrics'], text);
  if (checked) assert.equal(checked.status, 0, checked.stderr);
});

test('the dashboard asks for what there is', () => {
  const asked = names_in(readFileSync(join(root, 'packaging/grafana/gantry.json'), 'utf8'));
  for (const name of asked) {
    assert.ok(documented.has(name.replace(/_(bucket|sum|count)$/, '')), `${name} is not documented`);
  }
});

test('the rules for alerts are good ones', (context) => {
  const rules = /^groups:\n(?:[ -].*\n)+/m.exec(page)[0];
  const file = join(folder(), 'rules.yml');
  writeFileSync(file, rules);
  const checked = promtool(['check', 'rules', file]);
  if (!checked) return context.skip('promtool is not installed');
  assert.equal(checked.status, 0, checked.stderr + checked.stdout);
});

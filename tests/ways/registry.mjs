// A registry on loopback (Debian's docker-registry) with small images, which the engine pulls.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engine, pause, tar } from '../abuse/engine.mjs';
import { free_port } from './sshd.mjs';

/** Why there can be no registry here; empty when there can. */
export const registry_missing = () =>
  (spawnSync('docker-registry', ['--version']).status === 0 ? '' : 'package docker-registry is missing');

export class Registry {
  folder = mkdtempSync(join(tmpdir(), 'gantry-registry-'));

  async start() {
    this.port = await free_port();
    const config = join(this.folder, 'config.yml');
    writeFileSync(config, JSON.stringify({ version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(this.folder, 'data') } },
      http: { addr: `127.0.0.1:${this.port}` } }));
    this.process = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    const url = `http://127.0.0.1:${this.port}/v2/`;
    for (let tries = 0; tries < 600; ++tries) {
      if (await fetch(url).then(({ ok }) => ok, () => false)) return this;
      await pause(50);
    }
    throw new Error('the registry did not start');
  }

  reference = (name) => `127.0.0.1:${this.port}/${name}:1`;

  /** An image with the file `content`, in the registry and no longer in the engine; answers its
   * reference. */
  async image(name, content, label = '') {
    const reference = this.reference(name);
    const repository = reference.slice(0, -2);
    const change = label && `&changes=${encodeURIComponent(`LABEL ${label}`)}`;
    const made = await engine('POST',
      `/images/create?fromSrc=-&repo=${repository}&tag=1${change}`, tar([{ path: 'what', content }]));
    assert.equal(made.status, 200, made.raw.toString());
    await push(repository);
    await engine('DELETE', `/images/${reference}?force=1`);
    return reference;
  }

  stop() {
    this.process?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function push(repository) {
  const { raw } = await engine('POST', `/images/${repository}/push?tag=1`, undefined,
    { 'x-registry-auth': 'e30=' });
  assert.match(raw.toString(), /digest: sha256:/);
}

// What an execution may have left behind: containers, processes, cgroups, volumes, networks, files.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { engine, pause, watch_containers } from './engine.mjs';

const groups = '/sys/fs/cgroup';
const settle_ms = 30_000;  // generous: what is left stays
const sandbox_users = [40_000, 50_000];  // src/sandbox/slots.hpp

function folders(path, depth, found = []) {
  if (depth === 0) return found;
  let names = [];
  try {
    names = readdirSync(path, { withFileTypes: true });
  } catch { /* it has gone meanwhile */ }
  for (const name of names) {
    if (!name.isDirectory()) continue;
    found.push(join(path, name.name));
    folders(join(path, name.name), depth - 1, found);
  }
  return found;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Processes of sandboxes' users or in a group of these containers; without those that wait. */
function processes(ids, waiting) {
  const found = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const group = read(`/proc/${name}/cgroup`);
    if ([...waiting].some((id) => group.includes(id))) continue;
    if ([...ids].some((id) => group.includes(id))) found.push(name);
  }
  return found;
}

/** Processes of sandboxes' users below the server: those of the local executor. */
function local_processes(server) {
  const parents = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    parents.set(name, /\nPPid:\t(\d+)/.exec(read(`/proc/${name}/status`))?.[1]);
  }
  const descends = (name) => name !== undefined
    && (name === String(server.process.pid) || descends(parents.get(name)));
  return [...parents.keys()].filter((name) => {
    const user = Number(/\nUid:\t(\d+)/.exec(read(`/proc/${name}/status`))?.[1]);
    return user >= sandbox_users[0] && user < sandbox_users[1] && descends(name);
  }).length;
}

export class Leftovers {
  constructor(server, owner) {
    this.server = server;
    this.watched = watch_containers(`io.gantry.owner=${owner}`);
    this.owner = owner;
  }

  async begin() {
    this.volumes = new Set(await this.#volumes());
    this.networks = new Set(await this.#networks());
    this.local = local_processes(this.server);  // those that wait
    this.files = new Set(readdirSync(this.server.data));
  }

  async #volumes() {
    const { Volumes } = (await engine('GET', '/volumes')).json();
    return (Volumes ?? []).map((volume) => volume.Name);
  }

  async #networks() {
    const label = [`io.gantry.owner=${this.owner}`];
    const filters = encodeURIComponent(JSON.stringify({ label }));
    return (await engine('GET', `/networks?filters=${filters}`)).json().map(({ Id }) => Id);
  }

  /** Containers of this server that are still there: {used, waiting for a program}. Which of the
   * waiting ones have served can not be seen here: what is left at the end tells (Suite.stop). */
  async #containers() {
    const [used, waiting] = [new Set(), new Set()];
    for (const id of this.watched.ids) {
      const answer = await engine('GET', `/containers/${id}/json`);
      if (answer.status !== 200) continue;
      const { Labels } = answer.json().Config;
      const waits = Labels['io.gantry.kind'] !== 'sandbox'
        || (Labels['io.gantry.execution'] ?? '').startsWith('waiting-');
      (waits ? waiting : used).add(id);
    }
    return { used, waiting };
  }

  async #count() {
    const { used, waiting } = await this.#containers();
    const gone = new Set([...this.watched.ids].filter((id) => !waiting.has(id)));
    this.gone = gone;
    const volumes = (await this.#volumes()).filter((name) => (
      !this.volumes.has(name) && /^[0-9a-f]{64}$/.test(name)));
    const networks = (await this.#networks()).filter((id) => !this.networks.has(id));
    return {
      containers: used.size,
      processes: processes(gone, waiting).length
        + Math.max(0, local_processes(this.server) - this.local),
      cgroups: folders(groups, 4).filter((path) => gone.has(path.split('/').pop())).length,
      volumes: volumes.length,
      networks: networks.length,
      files: readdirSync(this.server.data).filter((name) => !this.files.has(name)).length,
    };
  }

  /** What is still there when nothing goes away any more: an object without the zeros. */
  async left() {
    const deadline = Date.now() + settle_ms;
    for (;;) {
      const some = Object.entries(await this.#count()).filter(([, number]) => number > 0);
      if (some.length === 0 || Date.now() > deadline) {
        for (const id of this.gone) this.watched.ids.delete(id);  // told once is enough
        return Object.fromEntries(some);
      }
      await pause(100);
    }
  }

  stop() {
    this.watched.stop();
  }
}

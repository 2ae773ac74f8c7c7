import { hosts_api } from '../api/fleet';
import { Loaded } from '../base/loaded.svelte';

const hosts = new Loaded(hosts_api.list);
const fresh_ms = 30_000;
let asked_at = -Infinity;

/** The host whose engine is the server's own, where programs run; nothing until it is known. */
export function engine_host(): string | undefined {
  return hosts.value?.items.find((host) => host.follows_engine_option)?.name;
}

/** Finds it out, unless that was just done: others may rename it. */
export function find_engine_host(): void {
  if (performance.now() - asked_at < fresh_ms) return;
  asked_at = performance.now();
  void hosts.load();
}

/** A host was added, changed or removed. */
export function hosts_changed(): void {
  if (hosts.value) void hosts.load();
}

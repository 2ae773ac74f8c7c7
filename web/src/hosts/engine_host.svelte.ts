import { hosts_api } from '../api/fleet';
import { Loaded } from '../base/loaded.svelte';

const hosts = new Loaded(hosts_api.list);

/** The host whose engine is the server's own, where programs run; nothing until it is known. */
export function engine_host(): string | undefined {
  return hosts.value?.items.find((host) => host.follows_engine_option)?.name;
}

/** Finds it out, once. */
export function find_engine_host(): void {
  if (!hosts.value) void hosts.load();
}

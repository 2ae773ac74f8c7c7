import type { FleetContainer } from '../api/fleet';

type Port = Omit<FleetContainer['ports'][number], 'protocol'> & { readonly protocol: string };

const up: readonly string[] = ['running', 'paused', 'restarting'];

export function is_up(container: { state: string }): boolean {
  return up.includes(container.state);
}

export function count_up(items: readonly { state: string }[]): number {
  return items.filter(is_up).length;
}

type Listed = Pick<FleetContainer, 'name' | 'state'>;

/** What runs comes first, then by name. */
export function by_state_and_name(a: Listed, b: Listed): number {
  return Number(is_up(b)) - Number(is_up(a)) || a.name.localeCompare(b.name);
}

/** What is reachable from outside, as `8080 → 80/tcp`; an engine lists IPv4 and IPv6 apart. */
export function published({ ports }: { ports: readonly Port[] }): string[] {
  return all_ports(ports.filter((port) => port.public !== undefined));
}

/** Every port, those that are reachable from outside as `8080 → 80/tcp`. */
export function all_ports(ports: readonly Port[]): string[] {
  return [...new Set(ports.map(text_of))];
}

function text_of({ ip, public: outside, private: inside, protocol }: Port): string {
  const place = `${inside}/${protocol}`;
  return outside === undefined ? place : `${local(ip)}${outside} → ${place}`;
}

function local(ip: string | undefined): string {
  if (ip === undefined || ip === '' || ip === '0.0.0.0' || ip === '::') return '';
  return ip.includes(':') ? `[${ip}]:` : `${ip}:`;
}

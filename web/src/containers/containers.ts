import type { Container } from '../api/client';

export type Show = 'all' | 'running' | 'stopped';

/** The containers of one Compose project, or those without one (`project` is empty). */
export interface Group {
  readonly project: string;
  readonly items: readonly Container[];
}

const up: readonly Container['state'][] = ['running', 'paused', 'restarting'];

export function is_up(container: Container): boolean {
  return up.includes(container.state);
}

export function count_up(items: readonly Container[]): number {
  return items.filter(is_up).length;
}

/** Those of the wanted kind in which every word of `text` occurs somewhere. */
export function filter(items: readonly Container[], show: Show, text: string): Container[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((container) => {
    if (show !== 'all' && is_up(container) !== (show === 'running')) return false;
    const { name, image, state, id, project = '', service = '' } = container;
    const all = [name, image, state, id, project, service].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** By project, those without one first; inside, what runs comes first, then by name. */
export function grouped(items: readonly Container[]): Group[] {
  const groups = new Map<string, Container[]>();
  for (const container of items) {
    const project = container.project ?? '';
    groups.set(project, [...(groups.get(project) ?? []), container]);
  }
  return [...groups]
    .map(([project, members]) => ({ project, items: members.sort(by_state_and_name) }))
    .sort((a, b) => a.project.localeCompare(b.project));
}

export function by_state_and_name(a: Container, b: Container): number {
  return Number(is_up(b)) - Number(is_up(a)) || a.name.localeCompare(b.name);
}

/** What is reachable from outside, as `8080 → 80/tcp`; an engine lists IPv4 and IPv6 apart. */
export function published(container: Container): string[] {
  const texts = container.ports
    .filter((port) => port.public !== undefined)
    .map((port) => `${local(port.ip)}${port.public} → ${port.private}/${port.protocol}`);
  return [...new Set(texts)];
}

function local(ip: string | undefined): string {
  if (ip === undefined || ip === '' || ip === '0.0.0.0' || ip === '::') return '';
  return ip.includes(':') ? `[${ip}]:` : `${ip}:`;
}

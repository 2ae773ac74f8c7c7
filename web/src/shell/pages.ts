import type { Component } from 'svelte';
import type { Role } from '../api/client';
import type { PlainKey } from '../base/i18n.svelte';
import type { Machine } from './machine.svelte';

export interface PageProps {
  machine: Machine;
  /** What follows the page's own path: an id, a host and an id, or nothing. */
  rest: string;
}

type Load = () => Promise<{ default: Component<PageProps> }>;

/** For pages that look at neither. */
const alone = (load: () => Promise<{ default: Component<Record<string, never>> }>): Load =>
  load as unknown as Load;

/** Where a page is found: a part of the main menu, or the menu of the account. */
export type Menu = 'programs' | 'fleet' | 'stores' | 'administration' | 'account';

export interface Place {
  readonly path: string;
  readonly title: PlainKey;
  /** Who finds it in the menu. */
  readonly role: Role | 'any';
  readonly menu: Menu;
  /** How many parts an address may have behind the path; one when not said. */
  readonly parts?: number;
  readonly load: Load;
}

/** The parts of the main menu, in order. */
export const menus: readonly (readonly [Exclude<Menu, 'account'>, PlainKey])[] = [
  ['programs', 'nav.programs'],
  ['fleet', 'nav.fleet'],
  ['stores', 'nav.stores'],
  ['administration', 'nav.administration'],
];

/** Every page of a signed-in user, in the order of the menu. Each is had when it is first shown. */
export const places: readonly Place[] = [
  {
    path: '/run',
    title: 'nav.run',
    role: 'any',
    menu: 'programs',
    load: () => import('../executions/RunPage.svelte'),
  },
  {
    path: '/executions',
    title: 'nav.executions',
    role: 'any',
    menu: 'programs',
    load: () => import('../executions/ExecutionsPage.svelte'),
  },
  {
    path: '/pools',
    title: 'nav.pools',
    role: 'viewer',
    menu: 'programs',
    load: alone(() => import('../pools/PoolsPage.svelte')),
  },
  {
    path: '/hosts',
    title: 'nav.hosts',
    role: 'viewer',
    menu: 'fleet',
    load: () => import('../hosts/HostsPage.svelte'),
  },
  {
    path: '/containers',
    title: 'nav.containers',
    role: 'viewer',
    menu: 'fleet',
    parts: 2,
    load: () => import('../containers/ContainersPlace.svelte'),
  },
  {
    path: '/projects',
    title: 'nav.projects',
    role: 'viewer',
    menu: 'fleet',
    parts: 2,
    load: () => import('../projects/ProjectsPlace.svelte'),
  },
  {
    path: '/events',
    title: 'nav.events',
    role: 'viewer',
    menu: 'fleet',
    load: alone(() => import('../events/EventsPage.svelte')),
  },
  {
    path: '/images',
    title: 'nav.images',
    role: 'viewer',
    menu: 'stores',
    load: () => import('../images/ImagesPage.svelte'),
  },
  {
    path: '/volumes',
    title: 'nav.volumes',
    role: 'viewer',
    menu: 'stores',
    load: () => import('../stores/VolumesPage.svelte'),
  },
  {
    path: '/networks',
    title: 'nav.networks',
    role: 'viewer',
    menu: 'stores',
    load: () => import('../stores/NetworksPage.svelte'),
  },
  {
    path: '/disk',
    title: 'nav.disk',
    role: 'viewer',
    menu: 'stores',
    load: alone(() => import('../stores/DiskPage.svelte')),
  },
  {
    path: '/recordings',
    title: 'nav.recordings',
    role: 'viewer',
    menu: 'administration',
    load: () => import('../terminals/RecordingsPlace.svelte'),
  },
  {
    path: '/users',
    title: 'nav.users',
    role: 'admin',
    menu: 'administration',
    load: alone(() => import('../access/UsersPage.svelte')),
  },
  {
    path: '/audit',
    title: 'nav.audit',
    role: 'admin',
    menu: 'administration',
    load: alone(() => import('../access/AuditPage.svelte')),
  },
  {
    path: '/account',
    title: 'nav.account',
    role: 'any',
    menu: 'account',
    load: alone(() => import('../access/AccountPage.svelte')),
  },
  {
    path: '/workspaces',
    title: 'nav.workspaces',
    role: 'any',
    menu: 'account',
    load: alone(() => import('../executions/WorkspacesPage.svelte')),
  },
  {
    path: '/tokens',
    title: 'nav.tokens',
    role: 'any',
    menu: 'account',
    load: () => import('../access/TokensPage.svelte'),
  },
];

export interface Found {
  readonly place: Place;
  readonly rest: string;
}

/** The page that an address belongs to. */
export function find_place(path: string): Found | undefined {
  const [, first = '', ...more] = path.split('/');
  const place = places.find((candidate) => candidate.path === `/${first}`);
  return place && more.length <= (place.parts ?? 1) ? { place, rest: more.join('/') } : undefined;
}

/** The parts of an address behind the path of its page, as they were before they were encoded. */
export function parts_of(rest: string): readonly string[] {
  return rest.split('/').filter(Boolean).map(decoded);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

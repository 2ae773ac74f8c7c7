import type { Component } from 'svelte';
import type { Role } from '../api/client';
import type { PlainKey } from '../base/i18n.svelte';
import type { Machine } from './machine.svelte';

export interface PageProps {
  machine: Machine;
  /** What follows the page's own path: an id, or nothing. */
  rest: string;
}

type Load = () => Promise<{ default: Component<PageProps> }>;

/** For pages that look at neither. */
const alone = (load: () => Promise<{ default: Component<Record<string, never>> }>): Load =>
  load as unknown as Load;

export interface Place {
  readonly path: string;
  readonly title: PlainKey;
  /** Who finds it in the menu. */
  readonly role: Role;
  readonly menu: 'main' | 'account';
  readonly load: Load;
}

/** Every page of a signed-in user, in the order of the menu. Each is had when it is first shown. */
export const places: readonly Place[] = [
  {
    path: '/run',
    title: 'nav.run',
    role: 'viewer',
    menu: 'main',
    load: () => import('../executions/RunPage.svelte'),
  },
  {
    path: '/executions',
    title: 'nav.executions',
    role: 'viewer',
    menu: 'main',
    load: () => import('../executions/ExecutionsPage.svelte'),
  },
  {
    path: '/containers',
    title: 'nav.containers',
    role: 'viewer',
    menu: 'main',
    load: () => import('../containers/ContainersPage.svelte'),
  },
  {
    path: '/images',
    title: 'nav.images',
    role: 'viewer',
    menu: 'main',
    load: () => import('../images/ImagesPage.svelte'),
  },
  {
    path: '/pools',
    title: 'nav.pools',
    role: 'viewer',
    menu: 'main',
    load: alone(() => import('../pools/PoolsPage.svelte')),
  },
  {
    path: '/users',
    title: 'nav.users',
    role: 'admin',
    menu: 'main',
    load: alone(() => import('../access/UsersPage.svelte')),
  },
  {
    path: '/audit',
    title: 'nav.audit',
    role: 'admin',
    menu: 'main',
    load: alone(() => import('../access/AuditPage.svelte')),
  },
  {
    path: '/account',
    title: 'nav.account',
    role: 'viewer',
    menu: 'account',
    load: alone(() => import('../access/AccountPage.svelte')),
  },
  {
    path: '/workspaces',
    title: 'nav.workspaces',
    role: 'viewer',
    menu: 'account',
    load: alone(() => import('../executions/WorkspacesPage.svelte')),
  },
  {
    path: '/tokens',
    title: 'nav.tokens',
    role: 'viewer',
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
  return place && more.length < 2 ? { place, rest: more[0] ?? '' } : undefined;
}

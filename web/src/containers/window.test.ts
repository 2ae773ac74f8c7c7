import { expect, test } from 'vitest';
import type { FleetContainer, FleetContainerList } from '../api/fleet';
import { ContainerWindow } from './window.svelte';

const some = (id: string): FleetContainer => ({
  host: 'local',
  id,
  name: id,
  image: 'nginx',
  state: 'running',
  status: 'Up',
  health: 'none',
  created_at: '2026-11-22T00:00:00Z',
  ports: [],
  labels: {},
});

/** A server whose pages hold two containers each; the cursor is the place in the list. */
class Server {
  asked: (string | undefined)[] = [];
  constructor(public names: string[]) {}

  read = (cursor: string | undefined): Promise<FleetContainerList> => {
    this.asked.push(cursor);
    const at = Number(cursor ?? 0);
    const next = at + 2 < this.names.length ? String(at + 2) : null;
    const items = this.names.slice(at, at + 2).map(some);
    const total = this.names.length;
    return Promise.resolve({ items, next, total, hosts: [], stale: false, as_of: null });
  };
}

const ids = (window: ContainerWindow): string => window.items.map(({ id }) => id).join('');

test('only what is looked at is had', async () => {
  const server = new Server(['a', 'b', 'c', 'd', 'e', 'f']);
  const window = new ContainerWindow(server.read);
  await window.restart();
  await window.show(0, 3);
  expect(ids(window)).toBe('abcd');
  expect(window.total).toBe(6);
  expect(server.asked).toEqual([undefined, '2']);
});

test('only what is in view is read again', async () => {
  const server = new Server(['a', 'b', 'c', 'd', 'e', 'f']);
  const window = new ContainerWindow(server.read);
  await window.restart();
  await window.show(4, 6);
  server.asked = [];
  await window.refresh();
  expect(server.asked).toEqual(['2', '4']);
});

test('what lies behind a page that ends elsewhere is dropped and had again', async () => {
  const server = new Server(['a', 'b', 'c', 'd']);
  const window = new ContainerWindow(server.read);
  await window.restart();
  await window.show(0, 4);
  server.names = ['a'];
  await window.show(0, 2);
  await window.refresh();
  expect(ids(window)).toBe('a');
});

test('a container that moved between two answers is shown once', async () => {
  const server = new Server(['a', 'b', 'c', 'd']);
  const window = new ContainerWindow(server.read);
  await window.restart();
  server.names = ['x', 'a', 'b', 'c'];
  await window.show(0, 4);
  expect(ids(window)).toBe('abc');
});

test('a failure is told and what was had stays', async () => {
  const server = new Server(['a', 'b']);
  let broken = false;
  const window = new ContainerWindow((cursor) =>
    broken ? Promise.reject(new Error('gone')) : server.read(cursor),
  );
  await window.restart();
  broken = true;
  await window.refresh();
  expect(window.problem?.code).toBe('server_unreachable');
  expect(ids(window)).toBe('ab');
});

test('what was refused stays told', async () => {
  const window = new ContainerWindow(() => Promise.reject(new Error('not for you')));
  await window.restart();
  expect(window.problem).toBeDefined();
  expect(window.ready).toBe(false);
});

import { expect, test } from 'vitest';
import type { Container } from '../api/client';
import { filter, grouped, published } from './containers';

function container(given: Partial<Container>): Container {
  return {
    id: 'f'.repeat(64),
    name: 'web',
    image: 'nginx:1.27',
    state: 'running',
    status: 'Up 3 hours',
    created_at: '2026-11-22T00:00:00Z',
    ports: [],
    labels: {},
    ...given,
  };
}

const names = (items: readonly Container[]): string[] => items.map((item) => item.name);

test('every word of the filter has to occur somewhere', () => {
  const items = [container({ name: 'a', project: 'shop' }), container({ name: 'b' })];
  expect(names(filter(items, 'all', 'NGINX shop'))).toEqual(['a']);
});

test('a paused container counts as running, an exited one as stopped', () => {
  const items = [
    container({ name: 'a', state: 'paused' }),
    container({ name: 'b', state: 'exited' }),
  ];
  expect(names(filter(items, 'running', ''))).toEqual(['a']);
  expect(names(filter(items, 'stopped', ''))).toEqual(['b']);
});

test('groups go by project and put what runs first', () => {
  const items = [
    container({ name: 'old', project: 'shop', state: 'exited' }),
    container({ name: 'web', project: 'shop' }),
    container({ name: 'lone' }),
  ];
  expect(grouped(items).map(({ project, items: members }) => [project, names(members)])).toEqual([
    ['', ['lone']],
    ['shop', ['web', 'old']],
  ]);
});

test('a port published on both address families is shown once', () => {
  const ports: Container['ports'] = [
    { private: 80, public: 8080, ip: '0.0.0.0', protocol: 'tcp' },
    { private: 80, public: 8080, ip: '::', protocol: 'tcp' },
    { private: 443, protocol: 'tcp' },
    { private: 53, public: 53, ip: '127.0.0.1', protocol: 'udp' },
  ];
  expect(published(container({ ports }))).toEqual(['8080 → 80/tcp', '127.0.0.1:53 → 53/udp']);
});

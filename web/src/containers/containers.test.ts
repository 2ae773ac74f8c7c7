import { expect, test } from 'vitest';
import { all_ports, by_state_and_name, count_up, published } from './containers';

const ports = [
  { private: 80, public: 8080, ip: '0.0.0.0', protocol: 'tcp' },
  { private: 80, public: 8080, ip: '::', protocol: 'tcp' },
  { private: 443, protocol: 'tcp' },
  { private: 53, public: 53, ip: '127.0.0.1', protocol: 'udp' },
];

test('a paused container counts as running, an exited one as stopped', () => {
  expect(count_up([{ state: 'paused' }, { state: 'exited' }])).toBe(1);
});

test('what runs comes first, then by name', () => {
  const items = [
    { name: 'b', state: 'running' },
    { name: 'a', state: 'exited' },
    { name: 'a', state: 'paused' },
  ] as const;
  expect([...items].sort(by_state_and_name).map(({ name, state }) => `${name} ${state}`)).toEqual([
    'a paused',
    'b running',
    'a exited',
  ]);
});

test('a port published on both address families is shown once', () => {
  expect(published({ ports })).toEqual(['8080 → 80/tcp', '127.0.0.1:53 → 53/udp']);
});

test('a port that is not published is told by its number alone', () => {
  expect(all_ports(ports)).toContain('443/tcp');
});

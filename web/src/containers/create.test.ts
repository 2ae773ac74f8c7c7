import { expect, test } from 'vitest';
import { create_request, empty_draft, WrongLine } from './create';

test('only what was filled in is sent', () => {
  expect(create_request({ ...empty_draft(), image: ' nginx ' })).toEqual({
    image: 'nginx',
    start: true,
  });
});

test('ports are written as people know them', () => {
  const ports = '8080:80\n127.0.0.1:53:53/udp\n443\n[::1]:90:90';
  expect(create_request({ ...empty_draft(), image: 'x', ports }).ports).toEqual([
    { host_port: 8080, container_port: 80, protocol: 'tcp' },
    { host_ip: '127.0.0.1', host_port: 53, container_port: 53, protocol: 'udp' },
    { container_port: 443, protocol: 'tcp' },
    { host_ip: '::1', host_port: 90, container_port: 90, protocol: 'tcp' },
  ]);
});

test('a volume has a name; a path of the host is no volume', () => {
  const draft = { ...empty_draft(), image: 'x' };
  expect(create_request({ ...draft, volumes: 'data:/var/lib:ro' }).mounts).toEqual([
    { type: 'volume', source: 'data', target: '/var/lib', read_only: true },
  ]);
  expect(() => create_request({ ...draft, volumes: '/etc:/etc' })).toThrow(WrongLine);
});

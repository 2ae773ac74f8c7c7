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

test('a volume has a name, and a path of the host is bound', () => {
  const draft = { ...empty_draft(), image: 'x' };
  const volumes = 'data:/var/lib:ro\n/etc:/there\n/:/host:rw';
  expect(create_request({ ...draft, volumes }).mounts).toEqual([
    { type: 'volume', source: 'data', target: '/var/lib', read_only: true },
    { type: 'bind', source: '/etc', target: '/there', read_only: false },
    { type: 'bind', source: '/', target: '/host', read_only: false },
  ]);
  for (const line of ['data', '../etc:/etc', 'data:var', 'a:/b:xy', 'a:/b:ro:z']) {
    expect(() => create_request({ ...draft, volumes: line })).toThrow(WrongLine);
  }
});

test('what reaches out of the container is sent only when it is asked for', () => {
  const draft = { ...empty_draft(), image: 'x' };
  const asked = create_request({
    ...draft,
    privileged: true,
    host_pid: true,
    seccomp: true,
    capabilities: 'NET_ADMIN, SYS_TIME',
    devices: '/dev/kvm\n/dev/a:/dev/b:r',
  });
  expect(asked).toEqual({
    image: 'x',
    privileged: true,
    pid_namespace: 'host',
    unconfined: ['seccomp'],
    capabilities: { add: ['NET_ADMIN', 'SYS_TIME'] },
    devices: [
      { host_path: '/dev/kvm', permissions: 'rwm' },
      { host_path: '/dev/a', container_path: '/dev/b', permissions: 'r' },
    ],
    start: true,
  });
  expect(() => create_request({ ...draft, devices: 'kvm' })).toThrow(WrongLine);
});

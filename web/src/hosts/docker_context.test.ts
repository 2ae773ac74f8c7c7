import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { context_of_file, context_of_text, ContextError, host_name_of } from './docker_context';

const meta = (docker: object, name = 'My Server'): string =>
  JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker } });

/** An archive as `docker context export` writes them, made by tar itself. */
function exported(files: Record<string, string>): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-context-'));
  try {
    mkdirSync(join(folder, 'tls/docker'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const archive = join(folder, 'a.dockercontext');
    const words = ['-C', folder, '--format=ustar', '-cf', archive, ...Object.keys(files)];
    expect(spawnSync('tar', words).status).toBe(0);
    return new Uint8Array(readFileSync(archive));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const why = (read: () => unknown): string => {
  try {
    read();
  } catch (failure) {
    if (failure instanceof ContextError) return failure.why;
  }
  return 'fine';
};

test('an exported context has its endpoint and its certificates', () => {
  const archive = exported({
    'meta.json': meta({ Host: 'tcp://docker.example.org:2376', SkipTLSVerify: false }),
    'tls/docker/ca.pem': 'CA',
    'tls/docker/cert.pem': 'CERTIFICATE',
    'tls/docker/key.pem': 'KEY\n'.repeat(300),
  });
  expect(context_of_file(archive)).toEqual({
    name: 'My Server',
    endpoint: 'tls://docker.example.org:2376',
    tls: { ca: 'CA', certificate: 'CERTIFICATE', key: 'KEY\n'.repeat(300) },
    tls_missing: false,
  });
});

test('what docker context inspect prints says only whether there are certificates', () => {
  const told = JSON.parse(meta({ Host: 'tcp://a:2376' }));
  const text = JSON.stringify([{ ...told, TLSMaterial: { docker: ['ca.pem', 'cert.pem'] } }]);
  expect(context_of_text(text)).toMatchObject({ endpoint: 'tls://a:2376', tls_missing: true });
  expect(context_of_file(new TextEncoder().encode(meta({ Host: 'ssh://ann@edge' })))).toMatchObject(
    { endpoint: 'ssh://ann@edge', tls_missing: false },
  );
});

test('what is no context, and what we do not do, is refused', () => {
  expect(why(() => context_of_text('hello'))).toBe('unreadable');
  expect(why(() => context_of_file(exported({ 'other.json': '{}' })))).toBe('unreadable');
  expect(why(() => context_of_text('[]'))).toBe('no_endpoint');
  expect(why(() => context_of_text('{"Endpoints": {"kubernetes": {}}}'))).toBe('no_endpoint');
  expect(why(() => context_of_text(meta({ Host: 'tcp://a', SkipTLSVerify: true })))).toBe(
    'skips_check',
  );
  expect(why(() => context_of_text(meta({ Host: 'npipe:////./pipe/docker' })))).toBe('no_kind');
});

test('the name of a context becomes one that a host can have', () => {
  expect(host_name_of('My Server')).toBe('my-server');
  expect(host_name_of('._Edge_1')).toBe('edge_1');
  expect(host_name_of('a'.repeat(80))).toHaveLength(63);
});

import { expect, test } from 'vitest';
import type { Image, System } from '../api/client';
import {
  filter_images,
  full_name,
  named_first,
  names_of,
  users_of,
  with_sandbox,
  type ShownImage,
} from './images';

function image(given: Partial<ShownImage>): ShownImage {
  return {
    id: `sha256:${'a'.repeat(64)}`,
    tags: [],
    digests: [],
    size_bytes: 1,
    labels: {},
    created_at: '2026-11-22T00:00:00Z',
    sandbox: null,
    ...given,
  };
}

const named = (name: string, of: string): { name: string; image: string } => ({ name, image: of });

test.each([
  ['alpine', 'alpine:latest'],
  ['docker.io/library/alpine', 'alpine:latest'],
  ['ghcr.io:443/a/b', 'ghcr.io:443/a/b:latest'],
  ['a@sha256:00', 'a@sha256:00'],
])('%s is kept as %s', (reference, kept) => {
  expect(full_name(reference)).toBe(kept);
});

test('a container uses an image by name or by id', () => {
  const containers = [
    named('web', 'nginx'),
    named('old', 'a'.repeat(12)),
    named('other', 'redis:7'),
  ];
  const used = users_of(image({ tags: ['nginx:latest'] }), containers, undefined);
  expect(used.containers).toEqual(['web', 'old']);
});

test('an image serves a language itself or in the place of another', () => {
  const system = {
    languages: [
      { name: 'python', image: 'python:3.11-alpine' },
      { name: 'ruby', image: 'gantry/python' },
    ],
    image_aliases: { 'python:3.11-alpine': 'gantry/python:latest' },
  } as unknown as System;
  const used = users_of(image({ tags: ['gantry/python:latest'] }), [], system);
  expect(used.languages).toEqual(['python', 'ruby']);
});

test('an image that the engine calls none has no name', () => {
  const digests = ['<none>@<none>'];
  expect(names_of(image({ tags: ['<none>:<none>'], digests }))).toEqual([]);
});

test('an image pulled by digest is called by it', () => {
  expect(names_of(image({ digests: ['alpine@sha256:00'] }))).toEqual(['alpine@sha256:00']);
});

test('images without a name come last', () => {
  const images = [image({}), image({ tags: ['b'] }), image({ tags: ['a'] })];
  expect(named_first(images).map((i) => i.tags[0])).toEqual(['b', 'a', undefined]);
});

test('the filter looks at names and ids', () => {
  const images = [image({ tags: ['nginx:1.27'] }), image({ tags: ['redis:7'] })];
  expect(filter_images(images, 'REDIS').flatMap(names_of)).toEqual(['redis:7']);
});

test('what programs have to do with an image is told where the sandbox has it', () => {
  const sandbox = { used_at: '2026-11-22T00:00:00Z' } as NonNullable<Image['sandbox']>;
  const stored = [image({ tags: ['a'] }), image({ id: 'sha256:b', tags: ['b'] })];
  const shown = with_sandbox(stored, [{ ...image({}), sandbox }]);
  expect(shown.map((one) => one.sandbox?.used_at)).toEqual(['2026-11-22T00:00:00Z', undefined]);
});

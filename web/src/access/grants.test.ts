import { expect, test } from 'vitest';
import type { Grant } from '../api/people';
import { draft_of, requests_of } from './grants';

const grant: Grant = { group: null, host: 'edge', project: 'shop', role: 'operator', rights: [] };

test('a grant that is shown and saved again is the same', () => {
  const all: Grant[] = [
    { ...grant, rights: ['unmask'] },
    { group: '*', host: null, project: null, role: 'viewer', rights: [] },
  ];
  expect(requests_of(all.map(draft_of))).toEqual([
    { host: 'edge', project: 'shop', role: 'operator', rights: ['unmask'] },
    { group: '*', role: 'viewer' },
  ]);
});

test('a grant whose host is gone is not given again', () => {
  expect(requests_of([draft_of({ ...grant, host: null })])).toEqual([]);
});

import { expect, test } from 'vitest';
import type { FleetEvent } from '../api/stores';
import { shown_max, subject, with_event, type Shown } from './events';

const event: FleetEvent = {
  host: 'local',
  type: 'container',
  action: 'start',
  at: '2026-11-22T00:00:00Z',
  id: 'f'.repeat(64),
  attributes: {},
};

test('the newest event comes first, and only so many are kept', () => {
  let events: readonly Shown[] = [];
  for (let key = 0; key <= shown_max; key += 1) events = with_event(events, event, key);
  expect([events.length, events[0]?.key]).toEqual([shown_max, shown_max]);
});

test('a thing without a name is called by the beginning of its id', () => {
  expect(subject(event)).toBe('ffffffffffff');
  expect(subject({ ...event, id: 'a-long-name-of-a-volume' })).toBe('a-long-name-of-a-volume');
  expect(subject({ ...event, attributes: { name: 'web' } })).toBe('web');
});

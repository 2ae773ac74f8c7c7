import { expect, test } from 'vitest';
import type { StatsReading } from '../api/containers';
import { binary_top, chart_top, line_points, rates_of, readings_max, with_reading } from './stats';

const reading = (second: number, bytes: number): StatsReading => ({
  read_at: new Date(second * 1000).toISOString(),
  cpu_percent: 0,
  cpus: 1,
  memory_bytes: 0,
  memory_limit_bytes: 0,
  pids: 1,
  received_bytes: bytes,
  sent_bytes: 0,
  disk_read_bytes: 0,
  disk_written_bytes: 0,
});

test('rates are bytes a second, and nothing when a counter began anew', () => {
  const rates = rates_of([reading(0, 0), reading(2, 300), reading(3, 10)]);
  expect(rates.map(({ received }) => received)).toEqual([150, 0]);
});

test('only the last readings are kept', () => {
  let readings: readonly StatsReading[] = [];
  for (let at = 0; at <= readings_max; at += 1) readings = with_reading(readings, reading(at, at));
  expect([readings.length, readings[0]?.received_bytes]).toEqual([readings_max, 1]);
});

test('a line ends at the right and stays in its box', () => {
  expect(line_points([5, 20], 10).split(' ').at(-1)).toBe('100.00,0.00');
  expect(line_points([0], 0)).toBe('100.00,100.00');
});

test('the top of a chart is a round number above all', () => {
  expect(chart_top([3, 42], 1)).toBe(50);
  expect(chart_top([], 100)).toBe(100);
  expect(binary_top([1025], 1)).toBe(2048);
});

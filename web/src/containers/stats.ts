import type { StatsReading } from '../api/containers';

/** How many readings a chart shows: two minutes of one each second. */
export const readings_max = 120;

export interface Rates {
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
}

export function with_reading(
  readings: readonly StatsReading[],
  next: StatsReading,
): readonly StatsReading[] {
  return [...readings, next].slice(-readings_max);
}

/** Bytes a second between each reading and the one before; counters that fell begin anew. */
export function rates_of(readings: readonly StatsReading[]): readonly Rates[] {
  return readings.slice(1).map((now, index) => {
    const before = readings[index]!;
    const seconds = (Date.parse(now.read_at) - Date.parse(before.read_at)) / 1000;
    const rate = (a: number, b: number): number =>
      seconds > 0 && b >= a ? (b - a) / seconds : 0;
    return {
      received: rate(before.received_bytes, now.received_bytes),
      sent: rate(before.sent_bytes, now.sent_bytes),
      read: rate(before.disk_read_bytes, now.disk_read_bytes),
      written: rate(before.disk_written_bytes, now.disk_written_bytes),
    };
  });
}

/** The points of a line of values in a box of 100 by 100, the newest at the right. */
export function line_points(values: readonly number[], top: number): string {
  const step = 100 / (readings_max - 1);
  const start = 100 - (values.length - 1) * step;
  return values
    .map((value, index) => {
      const y = top > 0 ? 100 - Math.min(1, value / top) * 100 : 100;
      return `${(start + index * step).toFixed(2)},${y.toFixed(2)}`;
    })
    .join(' ');
}

/** A round number above all values, for the top of a chart. */
export function chart_top(values: readonly number[], least: number): number {
  const most = Math.max(least, ...values);
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most) ?? most;
}

/** The same, as a power of two. */
export function binary_top(values: readonly number[], least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(least, ...values)));
}

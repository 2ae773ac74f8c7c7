/** Text for quantities. Units are the same in every language. */

/** A duration in milliseconds, no more exact than its size asks: `0.42 ms`, `42 ms`, `1.24 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${trimmed(ms, 2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${trimmed(ms / 1000, 2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A size in bytes, in binary units: `512 B`, `8.1 MiB`. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${trimmed(value, value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** How long ago `then` was, in one coarse unit, such as `5 minutes ago` or `5分钟前`. */
export function ago(then: string, now: number, language: string): string {
  const seconds = Math.min(0, (Date.parse(then) - now) / 1000);
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  for (const [unit, length] of steps) {
    if (-seconds >= length) return words.format(Math.ceil(seconds / length), unit);
  }
  return words.format(Math.ceil(seconds), 'second');
}

/** A moment in the reader's own time zone. */
export function moment(time: string, language: string): string {
  const format = { dateStyle: 'medium', timeStyle: 'medium' } as const;
  return new Intl.DateTimeFormat(language, format).format(new Date(time));
}

/** The day of a moment, in the reader's own time zone. */
export function day(time: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(time));
}

const signal_names: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/** The name of a Linux signal (x86 numbering), or its number. */
export function signal_name(signal: number): string {
  return signal_names[signal] ?? `signal ${signal}`;
}

/** An engine's id the way people write it: its first twelve digits. */
export function short_id(id: string): string {
  return id.slice(0, 12);
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

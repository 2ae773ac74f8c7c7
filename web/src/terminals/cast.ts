import type { Size } from './screen';

/** Something that happened in a recorded terminal, `at` seconds after its start. */
export interface CastEvent {
  readonly at: number;
  readonly kind: 'output' | 'resize';
  readonly text: string;
}

export interface Cast {
  readonly size: Size;
  readonly events: readonly CastEvent[];
  /** In seconds. */
  readonly length: number;
}

const size_max = 1000;
const kinds: Record<string, CastEvent['kind']> = { o: 'output', r: 'resize' };

/** Reads asciicast version 2; lines that are no event, or not one that is shown, are left out. */
export function read_cast(text: string): Cast {
  const [head = '', ...lines] = text.split('\n');
  const header = parsed(head) as Record<string, unknown> | undefined;
  if (header?.version !== 2) throw new Error('not an asciicast of version 2');
  const events = lines.map(event_of).filter((event) => event !== undefined);
  return {
    size: size_of(Number(header.width), Number(header.height)),
    events,
    length: events.at(-1)?.at ?? 0,
  };
}

/** The size in a resize event, such as `120x40`. */
export function resized_to(text: string): Size {
  const [columns, rows] = text.split('x').map(Number);
  return size_of(columns ?? 80, rows ?? 24);
}

/** Which event is the first after `at` seconds; the number of events when none is. */
export function first_after({ events }: Cast, at: number): number {
  const index = events.findIndex((event) => event.at > at);
  return index < 0 ? events.length : index;
}

function event_of(line: string): CastEvent | undefined {
  const event = parsed(line);
  if (!Array.isArray(event)) return undefined;
  const [at, code, text] = event as unknown[];
  const kind = kinds[String(code)];
  if (typeof at !== 'number' || typeof text !== 'string' || !kind) return undefined;
  return { at, kind, text };
}

function size_of(columns: number, rows: number): Size {
  return { columns: within(columns, 80), rows: within(rows, 24) };
}

function within(value: number, otherwise: number): number {
  return Number.isInteger(value) && value > 0 ? Math.min(value, size_max) : otherwise;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

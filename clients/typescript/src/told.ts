import { Buffer } from 'node:buffer';

import type { components } from './schema.js';

type Schemas = components['schemas'];

/** What happens in an execution, as it happens. */
export type ExecutionEvent =
  | { type: 'progress'; data: Schemas['Progress'] }
  | { type: 'state'; data: Schemas['StateChange'] }
  | { type: 'stdout' | 'stderr'; data: Schemas['Output'] }
  | { type: 'verdict'; data: Schemas['Execution'] };
type OutputEvent = Extract<ExecutionEvent, { type: 'stdout' | 'stderr' }>;

const strictly = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function bytesOf(output: Schemas['Output']): Buffer {
  return 'text' in output ? Buffer.from(output.text) : Buffer.from(output.base64, 'base64');
}

function outputOf(bytes: Buffer): Schemas['Output'] {
  try {
    return { text: strictly.decode(bytes) };
  } catch {
    return { base64: bytes.toString('base64') };
  }
}

/**
 * What has been told of an execution. Every stream of its events begins at the start, and cuts the
 * output anew: a stream that is taken up again goes on after so many bytes of each output, not
 * after so many events.
 */
export class Told {
  private readonly outputs = new Map<string, number>();
  private readonly states = new Set<string>();
  private progress: string[] = [];

  /** Answers, for one stream and event by event, what of an event is new; nothing when all of it
   * has been told. */
  stream(): (event: ExecutionEvent) => ExecutionEvent | undefined {
    const seen = new Map<string, number>();
    let lines = 0;
    return (event) => {
      switch (event.type) {
        case 'progress':
          return this.isNewLine(lines++, event.data.message) ? event : undefined;
        case 'state':
          return this.isNewState(event.data) ? event : undefined;
        case 'verdict':
          return event;
        default:
          return this.restOf(event, seen);
      }
    };
  }

  /** A server that has started again may prepare something else. */
  private isNewLine(at: number, line: string): boolean {
    if (this.progress[at] === line) return false;
    this.progress = [...this.progress.slice(0, at), line];
    return true;
  }

  private isNewState({ state, stage }: Schemas['StateChange']): boolean {
    const known = this.states.size;
    return this.states.add(`${state} ${stage ?? ''}`).size > known;
  }

  private restOf(event: OutputEvent, seen: Map<string, number>): OutputEvent | undefined {
    const { type, data } = event;
    const channel = `${type} ${data.stage ?? 'run'}`;
    const bytes = bytesOf(data);
    const begin = seen.get(channel) ?? 0;
    const end = begin + bytes.length;
    seen.set(channel, end);
    const told = this.outputs.get(channel) ?? 0;
    if (end <= told) return undefined;
    this.outputs.set(channel, end);
    if (begin >= told) return event;
    const stage = data.stage ? { stage: data.stage } : {};
    return { type, data: { ...outputOf(bytes.subarray(told - begin)), ...stage } };
  }
}

import { OutputCleaner } from '../base/ansi';

export type Stream = 'stdout' | 'stderr';
/** Who wrote: the compiler before the program, or the program. */
export type Stage = 'compile' | 'run';

export interface Segment {
  readonly id: number;
  readonly stream: Stream;
  readonly stage: Stage;
  readonly text: string;
}

/** More than this many characters are never on the page; what is oldest goes first. */
export const shown_max = 400_000;
const segment_max = 8_192;

/** The part of a program's output that is shown: in the order it came, cleaned and bounded. */
export class OutputBuffer {
  private list: Segment[] = [];
  private next_id = 0;
  private shown = 0;
  private hidden = 0;
  private cleaners = { stdout: new OutputCleaner(), stderr: new OutputCleaner() };
  private decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  append(stream: Stream, text: string, stage: Stage = 'run'): void {
    // A character that bytes before it left unfinished will not be finished by text.
    const unfinished = this.decoders[stream].decode();
    this.add(stream, this.cleaners[stream].push(unfinished + text), stage);
  }

  /** Bytes that are not UTF-8, or not whole characters of it. */
  append_base64(stream: Stream, base64: string, stage: Stage = 'run'): void {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const text = this.decoders[stream].decode(bytes, { stream: true });
    this.add(stream, this.cleaners[stream].push(text), stage);
  }

  /** No more comes: shows what was held back because it looked unfinished. */
  finish(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const stage = this.list.at(-1)?.stage ?? 'run';
      this.append(stream, '', stage);
      this.add(stream, this.cleaners[stream].finish(), stage);
    }
  }

  segments(): readonly Segment[] {
    return this.list.slice();
  }

  /** How many characters at the beginning are no longer shown. */
  hidden_characters(): number {
    return this.hidden;
  }

  empty(): boolean {
    return this.list.length === 0;
  }

  text(): string {
    return this.list.map((segment) => segment.text).join('');
  }

  private add(stream: Stream, text: string, stage: Stage): void {
    for (let at = 0; at < text.length; ) {
      const last = this.list.at(-1);
      const joins = last?.stream === stream && last.stage === stage;
      const room = joins ? segment_max - last.text.length : 0;
      if (last && room > 0) {
        const piece = text.slice(at, at + room);
        this.list[this.list.length - 1] = { ...last, text: last.text + piece };
        at += piece.length;
      } else {
        this.list.push({ id: this.next_id++, stream, stage, text: '' });
      }
    }
    this.shown += text.length;
    this.trim();
  }

  private trim(): void {
    while (this.shown > shown_max && this.list.length > 1) {
      const first = this.list.shift()!;
      this.shown -= first.text.length;
      this.hidden += first.text.length;
    }
  }
}

import { Painter, type Painted } from '../base/ansi';

export interface LogLine {
  readonly id: number;
  /** Which container wrote it, where several are shown together; else empty. */
  readonly source: string;
  readonly stream: 'stdout' | 'stderr';
  /** When it was begun, where the engine was asked to say so. */
  readonly at: string | undefined;
  readonly pieces: readonly Painted[];
}

/** More lines than these are never kept; what is oldest goes first. */
export const lines_max = 5_000;
const line_max = 16_384;

interface Writer {
  readonly painter: Painter;
  readonly decoder: TextDecoder;
  pieces: Painted[];
  length: number;
}

/** Makes lines of what containers write: in order, painted and bounded. */
export class LogLines {
  private lines: LogLine[] = [];
  private readonly writers = new Map<string, Writer>();
  private next_id = 0;
  private gone = 0;

  /** `at` is when the text was written, where the text does not begin with that itself. */
  append(stream: LogLine['stream'], text: string, source = '', at?: string): void {
    const writer = this.writer(stream, source);
    const before = at && writer.pieces.length === 0 ? `${at} ` : '';
    for (const piece of writer.painter.push(before + text)) {
      this.take(writer, piece, { stream, source });
    }
  }

  append_base64(stream: LogLine['stream'], base64: string, source = '', at?: string): void {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const { decoder } = this.writer(stream, source);
    this.append(stream, decoder.decode(bytes, { stream: true }), source, at);
  }

  /** Shows what has not come to the end of its line. */
  finish(): void {
    for (const [key, writer] of this.writers) {
      const { stream, source } = parts_of(key);
      for (const piece of writer.painter.finish()) {
        this.take(writer, piece, { stream, source });
      }
      if (writer.pieces.length > 0) this.end(writer, stream, source);
    }
  }

  list(): readonly LogLine[] {
    return this.lines.slice(-lines_max);
  }

  /** How many lines at the beginning are no longer kept. */
  hidden(): number {
    return this.gone + Math.max(0, this.lines.length - lines_max);
  }

  private take(
    writer: Writer,
    { text, look }: Painted,
    { stream, source }: Pick<LogLine, 'stream' | 'source'>,
  ): void {
    const rows = text.split('\n');
    rows.forEach((row, index) => {
      if (row !== '') {
        writer.pieces.push({ text: row, look });
        writer.length += row.length;
      }
      if (index < rows.length - 1 || writer.length > line_max) this.end(writer, stream, source);
    });
  }

  private end(writer: Writer, stream: LogLine['stream'], source: string): void {
    const { at, pieces } = stamped(writer.pieces);
    this.lines.push({ id: this.next_id++, source, stream, at, pieces });
    writer.pieces = [];
    writer.length = 0;
    // Not at every line: a fast log would do nothing else.
    if (this.lines.length < 2 * lines_max) return;
    this.gone += this.lines.length - lines_max;
    this.lines = this.lines.slice(-lines_max);
  }

  private writer(stream: LogLine['stream'], source: string): Writer {
    const key = `${stream}/${source}`;
    const known = this.writers.get(key);
    if (known) return known;
    const made = {
      painter: new Painter(),
      decoder: new TextDecoder(),
      pieces: [],
      length: 0,
    };
    this.writers.set(key, made);
    return made;
  }
}

// The engine writes when a line began before it, if asked to.
const stamp = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?/;

function stamped(pieces: readonly Painted[]): Pick<LogLine, 'at' | 'pieces'> {
  const [first, ...rest] = pieces;
  const found = first && stamp.exec(first.text);
  if (!found) return { at: undefined, pieces };
  const text = first.text.slice(found[0].length);
  return { at: found[1], pieces: text === '' ? rest : [{ ...first, text }, ...rest] };
}

export function text_of(line: LogLine): string {
  return line.pieces.map(({ text }) => text).join('');
}

/** Lines in which `text` occurs, whatever its case; all when it is empty. */
export function matching(lines: readonly LogLine[], text: string): readonly LogLine[] {
  const wanted = text.toLowerCase();
  if (wanted === '') return lines;
  return lines.filter((line) => text_of(line).toLowerCase().includes(wanted));
}

function parts_of(key: string): Pick<LogLine, 'stream' | 'source'> {
  const at = key.indexOf('/');
  return { stream: key.slice(0, at) as LogLine['stream'], source: key.slice(at + 1) };
}

/**
 * Makes a program's output harmless to show: escape sequences are removed, other control characters
 * become their visible pictures, and characters that reorder text are written out.
 *
 * Output arrives in pieces and a sequence may be cut anywhere, so the cleaner keeps what is not
 * yet complete for the next piece.
 */
export class OutputCleaner {
  private held = '';

  push(piece: string): string {
    const text = this.held + piece;
    const cut = incomplete_from(text);
    this.held = text.slice(cut);
    return clean(text.slice(0, cut));
  }

  /** What is left when no more comes. */
  finish(): string {
    const text = this.held;
    this.held = '';
    return clean(text);
  }
}

// CSI, the string sequences (OSC, DCS, SOS, PM, APC) up to BEL or ST, then the short escapes.
const sequence =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-Z\\`-~])/g;
// The longest tail that may still become a sequence; beyond it, it is shown as it is.
const held_max = 4096;
const open_tail = /(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?|\r)$/;
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
const reordering = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function incomplete_from(text: string): number {
  const tail = open_tail.exec(text.slice(-held_max));
  return tail ? text.length - tail[0].length : text.length;
}

function clean(text: string): string {
  return text
    .replace(sequence, '')
    .replace(/\r\n?/g, '\n')
    .replace(control, picture)
    .replace(reordering, (mark) => `<U+${mark.charCodeAt(0).toString(16).toUpperCase()}>`);
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
}

/** A piece of text that looks the same throughout; `look` has names of classes, maybe none. */
export interface Painted {
  readonly text: string;
  readonly look: string;
}

/**
 * Like OutputCleaner, but keeps colours: each piece of text comes with the classes of ansi.css that
 * say how it looks. Nothing of a program's output ever becomes markup or a style.
 */
export class Painter {
  private held = '';
  private paint = plain;

  push(piece: string): Painted[] {
    const text = this.held + piece;
    const cut = incomplete_from(text);
    this.held = text.slice(cut);
    return this.painted(text.slice(0, cut));
  }

  /** What is left when no more comes. */
  finish(): Painted[] {
    const text = this.held;
    this.held = '';
    return this.painted(text);
  }

  private painted(text: string): Painted[] {
    const pieces: Painted[] = [];
    let at = 0;
    for (const match of text.matchAll(colouring)) {
      this.add(pieces, text.slice(at, match.index));
      this.paint = repainted(this.paint, match[1] ?? '');
      at = match.index + match[0].length;
    }
    this.add(pieces, text.slice(at));
    return pieces;
  }

  private add(pieces: Painted[], text: string): void {
    const cleaned = clean(text);
    if (cleaned !== '') pieces.push({ text: cleaned, look: look_of(this.paint) });
  }
}

interface Paint {
  readonly front: number | undefined;
  readonly back: number | undefined;
  readonly marks: readonly string[];
}

const plain: Paint = { front: undefined, back: undefined, marks: [] };
const colouring = /\x1b\[([\d;:]*)m/g;
// What each number switches on or off; colours are apart.
const marks_on: Record<number, string> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'under',
  7: 'turned',
};
const marks_off: Record<number, readonly string[]> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['under'],
  27: ['turned'],
};

function look_of({ front, back, marks }: Paint): string {
  const names = [...marks];
  if (front !== undefined) names.push(`front-${front}`);
  if (back !== undefined) names.push(`back-${back}`);
  return names.join(' ');
}

function repainted(paint: Paint, sequence: string): Paint {
  const numbers = sequence.split(/[;:]/).map(Number);
  let now = paint;
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at]!;
    if (number === 38 || number === 48) {
      const [colour, used] = extended(numbers.slice(at + 1));
      now = number === 38 ? { ...now, front: colour } : { ...now, back: colour };
      at += used;
    } else {
      now = applied(now, number);
    }
  }
  return now;
}

function applied(paint: Paint, number: number): Paint {
  if (number === 0) return plain;
  const on = marks_on[number];
  if (on) return { ...paint, marks: [...paint.marks.filter((mark) => mark !== on), on] };
  const off = marks_off[number];
  if (off) return { ...paint, marks: paint.marks.filter((mark) => !off.includes(mark)) };
  if (number === 39) return { ...paint, front: undefined };
  if (number === 49) return { ...paint, back: undefined };
  if (number >= 30 && number <= 37) return { ...paint, front: number - 30 };
  if (number >= 40 && number <= 47) return { ...paint, back: number - 40 };
  if (number >= 90 && number <= 97) return { ...paint, front: number - 82 };
  if (number >= 100 && number <= 107) return { ...paint, back: number - 92 };
  return paint;
}

/** The nearest of the sixteen colours, and how many numbers said it. */
function extended([kind, ...rest]: readonly number[]): [number | undefined, number] {
  if (kind === 5) return [of_palette(rest[0] ?? 0), 2];
  if (kind === 2) return [of_rgb(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0), 4];
  return [undefined, 0];
}

function of_palette(index: number): number {
  if (index < 16) return index;
  if (index >= 232) return of_rgb(...gray(8 + (index - 232) * 10));
  const cube = index - 16;
  const level = (value: number): number => (value === 0 ? 0 : 55 + value * 40);
  return of_rgb(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function gray(value: number): [number, number, number] {
  return [value, value, value];
}

function of_rgb(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most - Math.min(red, green, blue) < 32) return [0, 8, 7, 15][Math.min(3, most >> 6)]!;
  const bright = most > 191 ? 8 : 0;
  const on = (value: number): boolean => value > most / 2;
  return bright + (on(red) ? 1 : 0) + (on(green) ? 2 : 0) + (on(blue) ? 4 : 0);
}

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

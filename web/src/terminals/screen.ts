import { FitAddon } from '@xterm/addon-fit';
import { Terminal, type ITheme } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Hooks {
  /** What was typed, or answered to the program; absent for a screen that only shows. */
  typed?: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** The screen fits its home and says so; absent for one whose size is set from outside. */
  resized?: (size: Size) => void;
  /** The reader wants to leave by the keyboard. */
  left?: () => void;
}

const scrollback = 5_000;
// Titles, links, colours of the page, notifications, the clipboard: a program in a container has
// no say in any of these. Everything else it writes stays inside the screen.
const refused_commands = [0, 1, 2, 4, 8, 9, 10, 11, 12, 52, 99, 104, 110, 111, 112, 777, 1337];
const names = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite',
] as const;

/** A screen with the terminal emulator in it; what is written to it reaches nothing else. */
export class Screen {
  private readonly terminal: Terminal;
  private readonly fit = new FitAddon();
  private readonly watcher = new ResizeObserver(() => this.fit_in());
  private readonly encoder = new TextEncoder();
  private readonly dark = matchMedia('(prefers-color-scheme: dark)');
  private readonly chosen = new MutationObserver(() => this.repaint());

  constructor(
    private readonly home: HTMLElement,
    private readonly hooks: Hooks = {},
  ) {
    this.terminal = new Terminal({
      scrollback,
      theme: theme_of(home),
      fontFamily: getComputedStyle(home).fontFamily,
      fontSize: 13,
      minimumContrastRatio: 4.5,
      cursorBlink: hooks.typed !== undefined,
      disableStdin: hooks.typed === undefined,
      linkHandler: { activate: () => {} },
      windowOptions: {},
    });
    for (const command of refused_commands) {
      this.terminal.parser.registerOscHandler(command, () => true);
    }
    this.terminal.loadAddon(this.fit);
    this.terminal.open(home);
    this.terminal.onData((text) => hooks.typed?.(this.encoder.encode(text)));
    this.terminal.onBinary((text) => hooks.typed?.(bytes_of(text)));
    this.terminal.attachCustomKeyEventHandler((event) => this.pass(event));
    // The theme is the browser's or one that was chosen; either may change.
    this.dark.addEventListener('change', this.repaint);
    this.chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    if (!hooks.resized) return;
    this.watcher.observe(home);
    this.fit_in();
  }

  write(bytes: Uint8Array | string, then?: () => void): void {
    this.terminal.write(bytes, then);
  }

  clear(): void {
    this.terminal.reset();
  }

  focus(): void {
    this.terminal.focus();
  }

  size(): Size {
    return { columns: this.terminal.cols, rows: this.terminal.rows };
  }

  /** A size that somebody else has chosen; it lasts until this screen becomes larger or smaller. */
  set_size({ columns, rows }: Size): void {
    this.terminal.resize(columns, rows);
  }

  close(): void {
    this.dark.removeEventListener('change', this.repaint);
    this.chosen.disconnect();
    this.watcher.disconnect();
    this.terminal.dispose();
  }

  private readonly repaint = (): void => {
    this.terminal.options.theme = theme_of(this.home);
  };

  private fit_in(): void {
    const before = this.size();
    this.fit.fit();
    const { columns, rows } = this.size();
    if (columns !== before.columns || rows !== before.rows) this.hooks.resized?.(this.size());
  }

  // Tab belongs to the program, so that there has to be another way out for the keyboard.
  private pass(event: KeyboardEvent): boolean {
    if (event.key !== 'Escape' || !event.shiftKey) return true;
    if (event.type === 'keydown') this.hooks.left?.();
    return false;
  }
}

function bytes_of(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The colours of the tokens, as they are where `home` is. */
function theme_of(home: HTMLElement): ITheme {
  const probe = document.createElement('span');
  probe.className = 'ansi';
  home.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const theme: ITheme = {
    background: colour('sunken'),
    foreground: colour('ink'),
    cursor: colour('accent'),
    cursorAccent: colour('sunken'),
    selectionBackground: colour('selection'),
    scrollbarSliderBackground: colour('line-strong'),
    ...Object.fromEntries(names.map((name, index) => [name, colour(`ansi-${index}`)])),
  };
  probe.remove();
  return theme;
}

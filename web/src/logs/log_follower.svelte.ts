import type { Problem } from '../api/client';
import { LogLines, type LogLine } from './log_lines';
import type { LogOptions, LogSink, LogSource, Written } from './log_source';

/** Follows a log and holds the lines that the page shows of it. */
export class LogFollower {
  lines = $state.raw<readonly LogLine[]>([]);
  hidden = $state(0);
  /** Lines that were too many to be sent. */
  dropped = $state(0);
  state = $state<'reading' | 'following' | 'interrupted' | 'over'>('reading');
  problem = $state.raw<Problem>();
  private log = new LogLines();
  private stop = (): void => {};
  private frame: number | undefined;

  constructor(private readonly source: LogSource) {}

  /** Begins anew with other options. */
  start(options: LogOptions): void {
    this.close();
    this.log = new LogLines();
    this.problem = undefined;
    this.dropped = 0;
    this.state = 'reading';
    this.flush();
    this.stop = this.source(options, this.sink());
  }

  close(): void {
    this.stop();
    this.stop = () => {};
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.frame = undefined;
  }

  private sink(): LogSink {
    return {
      begin: () => {
        this.state = 'following';
        this.log = new LogLines();
        this.show_soon();
      },
      write: (written) => this.write(written),
      dropped: (lines) => (this.dropped += lines),
      interrupted: () => (this.state = 'interrupted'),
      end: () => this.finish(),
      refused: (problem) => {
        this.problem = problem;
        this.finish();
      },
    };
  }

  private write({ stream, source = '', at, text, base64 }: Written): void {
    if (text !== undefined) this.log.append(stream, text, source, at);
    if (base64 !== undefined) this.log.append_base64(stream, base64, source, at);
    this.show_soon();
  }

  private show_soon(): void {
    this.frame ??= requestAnimationFrame(() => this.flush());
  }

  private finish(): void {
    this.log.finish();
    this.flush();
    this.state = 'over';
  }

  private flush(): void {
    this.frame = undefined;
    this.lines = this.log.list();
    this.hidden = this.log.hidden();
  }
}

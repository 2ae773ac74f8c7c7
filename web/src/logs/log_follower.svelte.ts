import { events_of, Problem, with_query, type Query } from '../api/client';
import type { ContainerLogEvent } from '../api/containers';
import type { ProjectLogLine } from '../api/stores';
import { LogLines, type LogLine } from './log_lines';

const pause_max_ms = 8_000;
const for_now = [0, 408, 429, 500, 502, 503, 504];

/** Reads the log at a path of the API, follows it, and takes it up again when it breaks. */
export class LogFollower {
  lines = $state.raw<readonly LogLine[]>([]);
  hidden = $state(0);
  /** Lines that were too many to be sent. */
  dropped = $state(0);
  state = $state<'reading' | 'following' | 'interrupted' | 'over'>('reading');
  problem = $state.raw<Problem>();
  private log = new LogLines();
  private stop = new AbortController();
  private frame: number | undefined;

  constructor(private readonly path: string) {}

  /** Begins anew with other options. */
  async start(options: Query): Promise<void> {
    this.close();
    const { signal } = (this.stop = new AbortController());
    this.log = new LogLines();
    this.problem = undefined;
    this.dropped = 0;
    this.state = 'reading';
    this.flush();
    for (let pause_ms = 500; !signal.aborted; pause_ms = Math.min(pause_ms * 2, pause_max_ms)) {
      if (await this.read({ ...options, follow: 'true' }, signal)) return;
      this.state = 'interrupted';
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
  }

  close(): void {
    this.stop.abort();
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.frame = undefined;
  }

  /** Whether there is nothing more to come. */
  private async read(options: Query, signal: AbortSignal): Promise<boolean> {
    try {
      const events = events_of('GET', with_query(this.path, options), { signal });
      for await (const { name, data } of events) {
        if (signal.aborted) return true;
        if (this.state !== 'following') this.begin();
        if (name === 'end') return this.finish();
        if (name === 'error') throw refusal(data);
        if (name === 'line') this.take_line(JSON.parse(data) as ProjectLogLine);
        if (name === 'dropped') this.dropped += (JSON.parse(data) as ContainerLogEvent).lines ?? 0;
        if (name === 'stdout' || name === 'stderr') {
          this.take(name, JSON.parse(data) as ContainerLogEvent);
        }
      }
      return this.finish();
    } catch (failure) {
      if (signal.aborted) return true;
      const problem = Problem.from(failure);
      if (for_now.includes(problem.status)) return false;
      this.problem = problem;
      this.state = 'over';
      return true;
    }
  }

  // A stream that is taken up again brings its beginning again.
  private begin(): void {
    this.state = 'following';
    this.log = new LogLines();
  }

  private take(stream: LogLine['stream'], said: ContainerLogEvent): void {
    if (said.text !== undefined) this.log.append(stream, said.text);
    if (said.base64 !== undefined) this.log.append_base64(stream, said.base64);
    this.show_soon();
  }

  private take_line({ container, time, text }: ProjectLogLine): void {
    const before = time ? `${time} ` : '';
    this.log.append('stdout', `${before}${text.replace(/\n$/, '')}\n`, container.name);
    this.show_soon();
  }

  private show_soon(): void {
    this.frame ??= requestAnimationFrame(() => this.flush());
  }

  private finish(): boolean {
    this.log.finish();
    this.flush();
    this.state = 'over';
    return true;
  }

  private flush(): void {
    this.frame = undefined;
    this.lines = this.log.list();
    this.hidden = this.log.hidden();
  }
}

function refusal(data: string): Problem {
  const { status = 400, code = '', detail = '', remedy } = JSON.parse(data) as Partial<Problem>;
  return new Problem(status, code, detail, remedy);
}

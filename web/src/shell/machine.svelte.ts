import { may } from '../access/session.svelte';
import { api, Problem, type ExecutionItem, type LiveMessage, type System } from '../api/client';
import { LiveLink } from '../api/live.svelte';

const history_max = 30;
const system_every_ms = 10_000;
/** Changes are told at most so often, however many there are. */
const change_every_ms = 500;

/** What the console knows of the server; lives as long as a session. */
export class Machine {
  system = $state.raw<System>();
  executions = $state.raw<ExecutionItem[]>();
  problem = $state.raw<Problem>();
  /** Grows whenever something has changed on a host; reading it keeps a list true. */
  changes = $state(0);
  readonly link = new LiveLink(() => (may('viewer') ? ['events', 'executions'] : ['executions']), {
    message: (message) => this.take(message),
    poll: () => void this.poll(),
  });
  private timer: ReturnType<typeof setInterval> | undefined;
  private change: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    void this.refresh();
    this.link.start();
    // The engine's own trouble is told by the system only, so it is asked again while there is any.
    this.timer = setInterval(() => {
      if (this.troubled()) void this.read_system();
    }, system_every_ms);
  }

  stop(): void {
    clearInterval(this.timer);
    clearTimeout(this.change);
    this.link.stop();
  }

  async refresh(): Promise<void> {
    this.problem = undefined;
    await Promise.all([this.read_system(), this.poll()]);
  }

  take_execution(item: ExecutionItem): void {
    const others = (this.executions ?? []).filter(({ id }) => id !== item.id);
    this.executions = [item, ...others]
      .sort((a, b) => b.created_at.localeCompare(a.created_at))
      .slice(0, history_max);
  }

  private take(message: LiveMessage): void {
    if (message.type === 'executions') this.take_execution(message);
    if (message.type === 'events' || message.type === 'gap') this.note_change();
    if (message.type === 'events' && message.items.some(({ type }) => type === 'host')) {
      void this.read_system();
    }
  }

  private note_change(): void {
    this.change ??= setTimeout(() => {
      this.change = undefined;
      this.changes += 1;
    }, change_every_ms);
  }

  private async read_system(): Promise<void> {
    await this.keep_problem(async () => (this.system = await api.system()));
  }

  private async poll(): Promise<void> {
    this.note_change();
    await this.keep_problem(async () => {
      this.executions = (await api.executions({ limit: history_max })).items;
    });
  }

  private async keep_problem(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.problem = undefined;
    } catch (failure) {
      this.problem = Problem.from(failure);
    }
  }

  private troubled(): boolean {
    return this.system?.engine?.state === 'unreachable';
  }
}

import { api, Problem, type ContainerList, type ExecutionItem, type System } from '../api/client';
import { LiveLink } from '../api/live.svelte';

const history_max = 30;
const system_every_ms = 10_000;

/** What the console knows of the server and its machine; lives as long as a session. */
export class Machine {
  system = $state.raw<System>();
  containers = $state.raw<ContainerList>();
  executions = $state.raw<ExecutionItem[]>();
  problem = $state.raw<Problem>();
  readonly link = new LiveLink({
    message: (message) => {
      if (message.type === 'containers') this.take_containers(message);
      if (message.type === 'executions') this.take_execution(message);
    },
    poll: () => void this.poll(),
  });
  private timer: ReturnType<typeof setInterval> | undefined;

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

  private take_containers(list: ContainerList): void {
    const changed = this.containers !== undefined && this.containers.stale !== list.stale;
    this.containers = list;
    if (changed) void this.read_system();
  }

  private async read_system(): Promise<void> {
    await this.keep_problem(async () => (this.system = await api.system()));
  }

  private async poll(): Promise<void> {
    await this.keep_problem(async () => {
      const [containers, executions] = await Promise.all([
        api.containers(),
        api.executions({ limit: history_max }),
      ]);
      this.take_containers(containers);
      this.executions = executions.items;
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
    return this.system?.engine?.state !== 'connected' || this.containers?.stale === true;
  }
}

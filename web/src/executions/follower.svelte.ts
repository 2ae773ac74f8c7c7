import {
  api,
  execution_events,
  Problem,
  type Execution,
  type ExecutionRequest,
  type ExecutionState,
} from '../api/client';
import type { ServerEvent } from '../api/sse';
import { InputLink } from './input_link.svelte';
import { OutputBuffer, type Segment, type Stage, type Stream } from './output';

interface Output {
  text?: string;
  base64?: string;
  stage?: Stage;
}

const progress_max = 5;
const pause_max_ms = 8_000;
/** Refusals that say nothing about the execution: too slow, or too much at once. */
const for_now = [408, 429];

/** Follows one execution at a time and holds what the page shows of it. */
export class Follower {
  state = $state<'none' | 'starting' | ExecutionState>('none');
  execution = $state.raw<Execution>();
  segments = $state.raw<readonly Segment[]>([]);
  hidden = $state(0);
  progress = $state.raw<readonly string[]>([]);
  interrupted = $state(false);
  problem = $state.raw<Problem>();
  /** Milliseconds since 1970 when the program was first seen running. */
  running_since = $state<number>();
  /** Where typing goes, while a program that was started for it runs. */
  input = $state.raw<InputLink>();

  private output = new OutputBuffer();
  private stop = new AbortController();
  private frame: number | undefined;

  get busy(): boolean {
    return this.state !== 'none' && this.state !== 'finished';
  }

  async run(program: ExecutionRequest): Promise<void> {
    await this.begin(async (signal) => {
      this.state = 'starting';
      const execution = await api.run(program);
      if (signal.aborted) return;
      if (program.interactive) this.input = new InputLink(execution.id, program.terminal);
      await this.follow(execution, signal);
    });
  }

  /** Stops following; the program is not touched. */
  leave(): void {
    this.stop.abort();
    this.clear();
  }

  /** Shows an execution of the history; one that still runs is followed. */
  async open(id: string): Promise<Execution | undefined> {
    let opened: Execution | undefined;
    await this.begin(async (signal) => {
      const execution = await api.execution(id);
      if (signal.aborted) return;
      opened = execution;
      if (execution.state === 'finished') this.finish(execution);
      else void this.begin((next) => this.follow(execution, next));
    });
    return opened;
  }

  async cancel(): Promise<void> {
    if (!this.execution) return;
    try {
      await api.cancel(this.execution.id);
    } catch (failure) {
      // 409: it had ended before the request arrived, which is as good.
      const problem = Problem.from(failure);
      if (problem.status !== 409) this.problem = problem;
    }
  }

  text(): string {
    return this.output.text();
  }

  private async begin(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.stop.abort();
    const { signal } = (this.stop = new AbortController());
    this.clear();
    try {
      await work(signal);
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = Problem.from(failure);
      this.state = 'none';
    }
  }

  private clear(): void {
    this.state = 'none';
    this.execution = undefined;
    this.problem = undefined;
    this.interrupted = false;
    this.running_since = undefined;
    this.end_input();
    this.clear_output();
  }

  private end_input(): void {
    this.input?.close();
    this.input = undefined;
  }

  private clear_output(): void {
    this.output = new OutputBuffer();
    this.progress = [];
    this.flush();
  }

  private async follow(execution: Execution, signal: AbortSignal): Promise<void> {
    this.execution = execution;
    this.state = execution.state;
    for (let pause_ms = 500; ; pause_ms = Math.min(pause_ms * 2, pause_max_ms)) {
      if (await this.read(execution.id, signal)) return;
      this.interrupted = true;
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
      if (signal.aborted) return;
    }
  }

  /** Whether the verdict has come, or nobody waits for it any more. */
  private async read(id: string, signal: AbortSignal): Promise<boolean> {
    try {
      const events = execution_events(id, signal);
      this.clear_output();
      for await (const event of events) {
        if (signal.aborted) return true;
        this.interrupted = false;
        this.take(event);
        if (event.name === 'verdict') return true;
      }
    } catch (failure) {
      if (signal.aborted) return true;
      const { status } = Problem.from(failure);
      if (status >= 400 && status < 500 && !for_now.includes(status)) throw failure;
    }
    return false;
  }

  private take({ name, data }: ServerEvent): void {
    const content: unknown = JSON.parse(data);
    switch (name) {
      case 'progress':
        this.progress = [...this.progress, (content as { message: string }).message].slice(
          -progress_max,
        );
        break;
      case 'state':
        this.enter((content as { state: ExecutionState }).state);
        break;
      case 'stdout':
      case 'stderr':
        this.write(name, content as Output);
        break;
      case 'verdict':
        this.finish(content as Execution);
        break;
    }
  }

  private enter(state: ExecutionState): void {
    if (state === 'finished') return; // The verdict says so, and says more.
    this.state = state;
    if (state === 'running') this.running_since ??= Date.now();
  }

  private write(stream: Stream, { text, base64, stage }: Output): void {
    if (text !== undefined) this.output.append(stream, text, stage);
    if (base64 !== undefined) this.output.append_base64(stream, base64, stage);
    this.frame ??= requestAnimationFrame(() => this.flush());
  }

  private finish(execution: Execution): void {
    if (this.output.empty()) this.write_all(execution);
    this.output.finish();
    this.flush();
    this.end_input();
    this.execution = execution;
    this.state = 'finished';
  }

  private write_all(execution: Execution): void {
    const stages = [
      ['compile', execution.compile],
      ['run', execution],
    ] as const;
    for (const [stage, written] of stages) {
      for (const stream of ['stdout', 'stderr'] as const) {
        const text = written?.[stream] ?? '';
        if (execution.encoding === 'base64') this.output.append_base64(stream, text, stage);
        else this.output.append(stream, text, stage);
      }
    }
  }

  private flush(): void {
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.frame = undefined;
    this.segments = this.output.segments();
    this.hidden = this.output.hidden_characters();
  }
}

export const follower = new Follower();

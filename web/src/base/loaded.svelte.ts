import { Problem } from '../api/client';

/** One answer of the server: as it was last had, and what went wrong since. */
export class Loaded<T> {
  value = $state.raw<T>();
  problem = $state.raw<Problem>();
  private latest = 0;

  constructor(private readonly read: () => Promise<T>) {}

  /** An answer that a younger one has overtaken is dropped. */
  async load(): Promise<void> {
    const mine = (this.latest += 1);
    try {
      const value = await this.read();
      if (mine !== this.latest) return;
      this.value = value;
      this.problem = undefined;
    } catch (failure) {
      if (mine === this.latest) this.problem = Problem.from(failure);
    }
  }

  /** Loads at once and then every `every_ms`, though not while nobody looks. Ends by the result. */
  keep_fresh(every_ms: number): () => void {
    void this.load();
    const timer = setInterval(() => {
      if (!document.hidden) void this.load();
    }, every_ms);
    return () => clearInterval(timer);
  }
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A list that comes in pages, of which more are had when asked for. */
export class Paged<T> {
  items = $state.raw<readonly T[]>();
  next = $state.raw<string | null>(null);
  problem = $state.raw<Problem>();
  busy = $state(false);
  private latest = 0;

  constructor(private readonly read: (cursor?: string) => Promise<Page<T>>) {}

  /** From the start; what is shown stays until the answer is there. */
  async load(): Promise<void> {
    await this.take(undefined, []);
  }

  async more(): Promise<void> {
    if (this.next === null || this.busy) return;
    await this.take(this.next, this.items ?? []);
  }

  private async take(cursor: string | undefined, before: readonly T[]): Promise<void> {
    const mine = (this.latest += 1);
    this.busy = true;
    try {
      const page = await this.read(cursor);
      if (mine !== this.latest) return;
      this.items = [...before, ...page.items];
      this.next = page.next;
      this.problem = undefined;
    } catch (failure) {
      if (mine === this.latest) this.problem = Problem.from(failure);
    }
    if (mine === this.latest) this.busy = false;
  }
}

/** Something that a person asked for: whether it is being done, and why it was refused. */
export class Deed {
  busy = $state(false);
  problem = $state.raw<Problem>();

  /** Whether it was done. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.problem = undefined;
    try {
      await work();
      return true;
    } catch (failure) {
      this.problem = Problem.from(failure);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

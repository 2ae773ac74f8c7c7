import { Problem } from '../api/client';

/** One answer of the server: as it was last had, and what went wrong since. */
export class Loaded<T> {
  value = $state.raw<T>();
  problem = $state.raw<Problem>();
  private latest = 0;
  private held = false;
  private asked: AbortController | undefined;

  /** Who reads ends by the signal, if that can be, when the answer is not wanted any more. */
  constructor(private readonly read: (signal: AbortSignal) => Promise<T>) {}

  /** Whether it is not there any more: asking again would only be refused again. */
  get gone(): boolean {
    return this.problem?.status === 404;
  }

  /** An answer that a younger one has overtaken is dropped. */
  async load(): Promise<void> {
    if (this.held) return;
    const mine = (this.latest += 1);
    const { signal } = (this.asked = new AbortController());
    try {
      const value = await this.read(signal);
      if (mine !== this.latest) return;
      this.value = value;
      this.problem = undefined;
    } catch (failure) {
      if (mine === this.latest) this.problem = Problem.from(failure);
    }
  }

  /**
   * Loads at once and then every `every_ms`, though not while nobody looks, nor what is gone. The
   * result ends it, and all other loading with it.
   */
  keep_fresh(every_ms: number): () => void {
    this.go_on();
    const timer = setInterval(() => {
      if (!document.hidden && !this.gone) void this.load();
    }, every_ms);
    return () => {
      clearInterval(timer);
      this.hold();
    };
  }

  /**
   * Asks for nothing while `work` may take away what is asked for, and goes on where that was
   * refused. Whether it was done.
   */
  async quietly(work: () => Promise<boolean>): Promise<boolean> {
    this.hold();
    const done = await work();
    if (!done) this.go_on();
    return done;
  }

  /** Loads, and may be asked to again. */
  go_on(): void {
    this.held = false;
    void this.load();
  }

  /** What is on its way is not wanted any more either. */
  private hold(): void {
    this.held = true;
    this.latest += 1;
    this.asked?.abort();
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

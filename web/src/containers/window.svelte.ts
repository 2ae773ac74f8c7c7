import { Problem } from '../api/client';
import type { FleetContainer, FleetContainerList, HostAge } from '../api/fleet';

/** How many containers one answer brings. */
export const page_size = 200;

interface Page {
  cursor: string | undefined;
  next: string | null;
  items: readonly FleetContainer[];
}

type Read = (cursor: string | undefined) => Promise<FleetContainerList>;

/**
 * The part of a long list that has been looked at: pages are had when they come into view, one
 * after the other because each begins where the one before ends, and those in view are read again
 * to keep them true.
 */
export class ContainerWindow {
  items = $state.raw<readonly FleetContainer[]>([]);
  total = $state(0);
  hosts = $state.raw<readonly HostAge[]>([]);
  ready = $state(false);
  problem = $state.raw<Problem>();
  private pages: Page[] = [];
  private generation = 0;
  private working = false;
  private wanted = { from: 0, to: 0 };

  constructor(private readonly read: Read) {}

  /** Begins anew, as after another filter; what is shown stays until the answer is there. */
  async restart(): Promise<void> {
    const mine = (this.generation += 1);
    await this.attempt(mine, async () => {
      const list = await this.read(undefined);
      if (mine !== this.generation) return;
      this.pages = [page(undefined, list)];
      this.take(list);
    });
    if (mine === this.generation && !this.problem) await this.fill();
  }

  /** Says which rows are in view. */
  async show(from: number, to: number): Promise<void> {
    this.wanted = { from, to };
    await this.fill();
  }

  /** Reads what is in view again. */
  async refresh(): Promise<void> {
    const mine = this.generation;
    if (this.working) return;
    if (this.pages.length === 0) return this.restart();
    await this.attempt(mine, async () => {
      for (const index of this.in_view()) {
        const old = this.pages[index];
        if (!old) return;
        const list = await this.read(old.cursor);
        if (mine !== this.generation) return;
        this.pages[index] = page(old.cursor, list);
        // Behind a page that ends elsewhere now, nothing fits any more.
        if (old.next !== list.next) this.pages.length = index + 1;
        this.take(list);
      }
    });
  }

  private async fill(): Promise<void> {
    if (this.working) return;
    this.working = true;
    const mine = this.generation;
    await this.attempt(mine, async () => {
      for (;;) {
        const last = this.pages.at(-1);
        if (!last || last.next === null || this.items.length >= this.wanted.to) return;
        const list = await this.read(last.next);
        if (mine !== this.generation) return;
        this.pages.push(page(last.next, list));
        this.take(list);
      }
    });
    this.working = false;
  }

  private in_view(): number[] {
    const indexes: number[] = [];
    let at = 0;
    this.pages.forEach(({ items }, index) => {
      if (at < this.wanted.to && at + items.length >= this.wanted.from) indexes.push(index);
      at += items.length;
    });
    return indexes.length > 0 ? indexes : [0];
  }

  private take(list: FleetContainerList): void {
    this.items = unique(this.pages.flatMap(({ items }) => items));
    this.total = list.total;
    this.hosts = list.hosts;
    this.ready = true;
  }

  private async attempt(mine: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (mine === this.generation) this.problem = undefined;
    } catch (failure) {
      if (mine === this.generation) this.problem = Problem.from(failure);
    }
  }
}

/** What tells a container from all others, on whatever host. */
export function key_of({ host, id }: { host: string; id: string }): string {
  return `${host}/${id}`;
}

function page(cursor: string | undefined, { items, next }: FleetContainerList): Page {
  return { cursor, items, next };
}

// Between two answers a container may have moved from one page to the other.
function unique(items: readonly FleetContainer[]): readonly FleetContainer[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = key_of(item);
    return !seen.has(key) && seen.add(key);
  });
}

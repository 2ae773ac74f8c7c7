import type { ExecutionItem } from '../api/client';

export type Show = 'all' | 'unfinished' | 'ok' | 'not_ok';

/** What an execution runs: its language, or the image it brought. */
export function subject(item: ExecutionItem): string {
  return item.language ?? item.image;
}

/** Those of the wanted kind in which every word of `text` occurs somewhere. */
export function filter_executions(
  items: readonly ExecutionItem[],
  show: Show,
  text: string,
): readonly ExecutionItem[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    if (!is_shown(item, show)) return false;
    const { id, language, image, served_image, verdict, state, executor, batch } = item;
    const all = [id, language, image, served_image, verdict, state, executor, batch];
    const whole = all.join(' ').toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/** A list with the newest states of what is in it, and what has begun since on top. */
export function updated(
  list: readonly ExecutionItem[],
  news: readonly ExecutionItem[],
  batch: string,
): readonly ExecutionItem[] {
  const newest = new Map(news.map((item) => [item.id, item]));
  const known = new Set(list.map(({ id }) => id));
  const first = list[0]?.created_at ?? '';
  const begun = news.filter(
    (item) => !known.has(item.id) && item.created_at >= first && belongs(item, batch),
  );
  return [...begun, ...list.map((item) => newest.get(item.id) ?? item)];
}

/** How long it waited before it began; null while it waits. */
export function waited_ms({ created_at, started_at }: ExecutionItem): number | null {
  return started_at === null ? null : Date.parse(started_at) - Date.parse(created_at);
}

function belongs(item: ExecutionItem, batch: string): boolean {
  return batch === '' || item.batch === batch;
}

function is_shown({ state, verdict }: ExecutionItem, show: Show): boolean {
  switch (show) {
    case 'all':
      return true;
    case 'unfinished':
      return state !== 'finished';
    case 'ok':
      return verdict === 'ok';
    case 'not_ok':
      return verdict !== null && verdict !== 'ok';
  }
}

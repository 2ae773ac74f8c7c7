import type { UsedBy } from '../api/stores';

/** The names of the first who hold on to a thing, and how many there are besides. */
export function users_shown({ containers, others }: UsedBy, shown_max = 3): [string, number] {
  const names = containers.slice(0, shown_max).map(({ name }) => name);
  return [names.join(', '), Math.max(0, containers.length - shown_max) + others];
}

/** Things in which every word of `text` occurs somewhere. */
export function filtered<T>(items: readonly T[], text: string, words_of: (item: T) => string): T[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    const all = words_of(item).toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** An image's id without its algorithm, as paths of the API want it. */
export function bare_id(id: string): string {
  return id.replace(/^sha256:/, '');
}

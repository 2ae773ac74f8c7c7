import type { Query } from '../api/client';
import { page_size } from './window.svelte';

/** What the address of the page says about the list; the server filters and sorts by it. */
export const filters = ['host', 'group', 'project', 'state', 'health', 'q', 'sort'] as const;
export type Filter = Record<(typeof filters)[number], string>;
export type SortName = 'name' | 'created' | 'state' | 'host' | 'image';

/** `sort` is a column, with a minus before it when the last comes first. */
export function query_of(filter: Filter, cursor?: string): Query {
  const { sort, ...others } = filter;
  const down = sort.startsWith('-');
  return {
    ...others,
    sort: sort.replace('-', ''),
    order: down ? 'desc' : undefined,
    limit: page_size,
    cursor,
  };
}

/** What a press on the head of a column asks for: up first, then down. */
export function next_sort(now: string, column: SortName): string {
  const present = now === '' ? 'name' : now;
  return present === column ? `-${column}` : column;
}

export function aria_sort(now: string, column: SortName): 'ascending' | 'descending' | undefined {
  const present = now === '' ? 'name' : now;
  if (present === column) return 'ascending';
  return present === `-${column}` ? 'descending' : undefined;
}

import type { Pool } from '../api/client';

export interface Summary {
  readonly ready: number;
  readonly making: number;
  readonly target: number;
  readonly arrivals: number;
  readonly hits: number;
  /** Null before the first program. */
  readonly ratio: number | null;
}

export function summary(pools: readonly Pool[]): Summary {
  const sum = (of: (pool: Pool) => number): number => pools.reduce((all, p) => all + of(p), 0);
  const hits = sum((pool) => pool.hits);
  const asked = hits + sum((pool) => pool.misses);
  return {
    ready: sum((pool) => pool.ready),
    making: sum((pool) => pool.making),
    target: sum((pool) => pool.target),
    arrivals: asked,
    hits,
    ratio: asked > 0 ? hits / asked : null,
  };
}

/** Those that most programs ask for come first. */
export function by_arrivals(pools: readonly Pool[]): Pool[] {
  return [...pools].sort(
    (a, b) => b.arrivals - a.arrivals || a.policy_class.localeCompare(b.policy_class),
  );
}

export type Health = 'ok' | 'idle' | 'filling' | 'failing';

/**
 * Whether as many wait as should; none, where none should, is idle. One that failed and fills again
 * is only filling.
 */
export function health(pool: Pool): Health {
  if (pool.ready >= pool.target) return pool.ready > 0 ? 'ok' : 'idle';
  return pool.last_error ? 'failing' : 'filling';
}

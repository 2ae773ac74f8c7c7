import type { PullProgress } from '../api/stores';

export interface Layer {
  readonly id: string;
  readonly status: string;
  readonly current: number;
  readonly total: number;
}

/** More layers than these are not shown. */
const layers_max = 40;

/** The layers of a pull after one more line of it; lines about no layer change none. */
export function with_progress(layers: readonly Layer[], line: PullProgress): readonly Layer[] {
  const { layer: id, status, current_bytes: current, total_bytes: total } = line;
  if (id === '') return layers;
  const before = layers.find((layer) => layer.id === id);
  if (!before) return [...layers, { id, status, current, total }].slice(-layers_max);
  const known = total > 0 ? { current, total } : { current: before.current, total: before.total };
  return layers.map((layer) => (layer === before ? { id, status, ...known } : layer));
}

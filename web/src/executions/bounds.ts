import type { Bounds } from '../api/client';
import { t } from '../base/i18n.svelte';

/** A value of the API in the unit that people type, not more exact than they would. */
export function in_unit(value: number, factor: number): string {
  return String(Number((value / factor).toFixed(3)));
}

/** What may be typed; a least value that is next to nothing is not told. */
export function bounds_text({ min, max }: Bounds, factor: number): string {
  const least = in_unit(min, factor);
  const most = in_unit(max, factor);
  if (Number(least) <= 0.001) return t('limits.at_most', { max: most });
  return t('limits.bounds', { min: least, max: most });
}

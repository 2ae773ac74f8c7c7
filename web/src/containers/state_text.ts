import type { ContainerState } from '../api/fleet';
import { t } from '../base/i18n.svelte';

export const states: readonly ContainerState[] = [
  'running',
  'exited',
  'paused',
  'restarting',
  'created',
  'dead',
  'removing',
];

/** A state in the reader's language; one that no engine had yet is told in the engine's word. */
export function state_text(state: string): string {
  const known = states.find((one) => one === state);
  return known ? t(`container.${known}`) : state;
}

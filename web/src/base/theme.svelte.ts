import { kept } from './kept';

export type Theme = 'system' | 'light' | 'dark';
export const themes: readonly Theme[] = ['system', 'light', 'dark'];

const state = $state<{ theme: Theme }>({ theme: 'system' });

export function theme(): Theme {
  return state.theme;
}

/** tokens.css reads the attribute; without it the browser's preference decides. */
export function set_theme(wanted: Theme): void {
  state.theme = wanted;
  if (wanted === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  kept.set('theme', wanted);
}

export function restore_theme(): void {
  set_theme(kept.get('theme', themes) ?? 'system');
}

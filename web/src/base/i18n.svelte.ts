import { en } from './en';
import { kept } from './kept';
import { zh } from './zh';

export type Key = keyof typeof en;
/** A language has a text for every key of the English one: a missing key does not compile. */
export type Dictionary = { readonly [K in Key]: string };
export type Language = 'en' | 'zh';

export const dictionaries: Record<Language, Dictionary> = { en, zh };
/** Languages by their own names. */
export const languages: readonly [Language, string][] = [
  ['en', 'English'],
  ['zh', '中文'],
];

type Holes<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Holes<Rest>
  : never;
/** A text with nothing to fill in. */
export type PlainKey = {
  [K in Key]: Holes<(typeof en)[K]> extends never ? K : never;
}[Key];
type Values<K extends Key> = Holes<(typeof en)[K]> extends never
  ? []
  : [values: Record<Holes<(typeof en)[K]>, string | number>];

const preferred = (): Language => (navigator.language.startsWith('zh') ? 'zh' : 'en');
const state = $state<{ language: Language }>({ language: 'en' });

export function language(): Language {
  return state.language;
}

export function set_language(wanted: Language): void {
  state.language = wanted;
  document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en';
  kept.set('language', wanted);
}

export function restore_language(): void {
  set_language(kept.get('language', ['en', 'zh']) ?? preferred());
}

/** The text of `key` in the reader's language, its `{name}`s replaced by the values so named. */
export function t<K extends Key>(key: K, ...values: Values<K>): string {
  return fill(dictionaries[state.language][key], values[0] ?? {});
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
}

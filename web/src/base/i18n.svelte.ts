import { en } from './en';
import { kept } from './kept';

export type Key = keyof typeof en;
/** A language has a text for every key of the English one: a missing key does not compile. */
export type Dictionary = { readonly [K in Key]: string };
export type Language = 'en' | 'zh';

// English is there at once, for it has the keys; another language is fetched by who reads it.
const load: Record<Language, () => Promise<Dictionary>> = {
  en: () => Promise.resolve(en),
  zh: async () => (await import('./zh')).zh,
};
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
let texts = $state.raw<Dictionary>(en);

export function language(): Language {
  return state.language;
}

/** A language that can not be fetched now leaves the present one. */
export async function set_language(wanted: Language): Promise<void> {
  const fetched = await load[wanted]().catch(() => undefined);
  if (!fetched) return;
  texts = fetched;
  state.language = wanted;
  document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en';
  kept.set('language', wanted);
}

export async function restore_language(): Promise<void> {
  await set_language(kept.get('language', ['en', 'zh']) ?? preferred());
}

/** The text of `key` in the reader's language, its `{name}`s replaced by the values so named. */
export function t<K extends Key>(key: K, ...values: Values<K>): string {
  return fill(texts[key], values[0] ?? {});
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
}

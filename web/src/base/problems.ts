import { en_problems } from './en_problems';
import { t } from './i18n.svelte';

type ProblemKey = keyof typeof en_problems;

/** What the code of a refusal means, in the reader's language; nothing for codes without words. */
export function words_of(code: string): string | undefined {
  const key = `error.${code}`;
  return Object.hasOwn(en_problems, key) ? t(key as ProblemKey) : undefined;
}

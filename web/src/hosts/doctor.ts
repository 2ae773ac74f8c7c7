import type { Schemas } from '../api/client';
import type { Host } from '../api/fleet';
import { en_doctor } from '../base/en_doctor';
import { t } from '../base/i18n.svelte';

export type Report = Schemas['DoctorReport'];
export type Check = Schemas['DoctorCheck'];
export type CheckState = Check['state'];

type DoctorKey = keyof typeof en_doctor & `doctor.check_${string}`;

/** What a check is called in the reader's language; a new one as the server calls it. */
export function title_of({ id, title }: Pick<Check, 'id' | 'title'>): string {
  const key = `doctor.check_${id}`;
  return Object.hasOwn(en_doctor, key) ? t(key as DoctorKey) : title;
}

interface Sorted {
  readonly shown: readonly Check[];
  readonly unseen: readonly Check[];
  readonly skipped: readonly Check[];
}

/** The checks as they are shown: the cause first, and apart what was not seen or does not apply. */
export function sorted({ cause, checks }: Report): Sorted {
  const unseen = checks.filter(({ state }) => state === 'unseen');
  const skipped = checks.filter(({ state }) => state === 'skipped');
  const judged = checks.filter((check) => !unseen.includes(check) && !skipped.includes(check));
  const shown = [
    ...judged.filter(({ id }) => id === cause),
    ...judged.filter(({ id }) => id !== cause),
  ];
  return { shown, unseen, skipped };
}

/** By what a host is reached: of another way, what was found out on this one says nothing. */
export function way_to({ endpoint, enabled, tls, ssh }: Host): string {
  return JSON.stringify([endpoint, enabled, tls, ssh]);
}

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

/** The checks as they are shown: the cause first, and apart those that were skipped. */
export function sorted(report: Report): { shown: readonly Check[]; skipped: readonly Check[] } {
  const { cause, checks } = report;
  const looked_at = checks.filter(({ state }) => state !== 'skipped');
  return {
    shown: [
      ...looked_at.filter(({ id }) => id === cause),
      ...looked_at.filter(({ id }) => id !== cause),
    ],
    skipped: checks.filter(({ state }) => state === 'skipped'),
  };
}

/** By what a host is reached: of another way, what was found out on this one says nothing. */
export function way_to({ endpoint, enabled, tls, ssh }: Host): string {
  return JSON.stringify([endpoint, enabled, tls, ssh]);
}

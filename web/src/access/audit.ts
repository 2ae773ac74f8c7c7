import type { AuditRecord } from '../api/client';
import { en } from '../base/en';
import { short_id } from '../base/format';
import { t, type PlainKey } from '../base/i18n.svelte';

export type Outcome = 'all' | 'done' | 'refused';

/** How it went: what changes something has an entry before it is tried, and one after. */
export function outcome_of({ outcome }: AuditRecord): 'done' | 'begun' | 'refused' {
  if (outcome === 'ok') return 'done';
  return outcome === 'begun' ? 'begun' : 'refused';
}

/** What was done in words, or the action's own name where there are none for it. */
export function action_text(action: string): string {
  const key = `action.${action}`;
  return key in en ? t(key as PlainKey) : action;
}

/** Those with the wanted outcome in which every word of `text` occurs somewhere. */
export function filter_records(
  records: readonly AuditRecord[],
  outcome: Outcome,
  text: string,
): readonly AuditRecord[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return records.filter((record) => {
    if (outcome !== 'all' && outcome_of(record) !== outcome) return false;
    const { actor, action, target, details } = record;
    const parts = [actor, action, action_text(action), target, record.outcome];
    const all = [...parts, JSON.stringify(details)].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** What it was done to: by its name where the entry has one. Ids are as short as elsewhere. */
export function target_text({ target, details }: AuditRecord): string {
  if (typeof details?.name === 'string') return details.name;
  return target.replace(/\b[0-9a-f]{64}\b/g, short_id);
}

/** The members of an entry's details as lines to read. */
export function detail_lines(details: AuditRecord['details']): readonly [string, string][] {
  return Object.entries(details ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

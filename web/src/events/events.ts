import type { FleetEvent } from '../api/stores';
import { short_id } from '../base/format';

/** More than these are never on the page; what is oldest goes first. */
export const shown_max = 500;

export interface Shown extends FleetEvent {
  readonly key: number;
}

/** The newest first. */
export function with_event(
  events: readonly Shown[],
  next: FleetEvent,
  key: number,
): readonly Shown[] {
  return [{ ...next, key }, ...events].slice(0, shown_max);
}

/** What somebody would call the thing that an event is about. */
export function subject(event: FleetEvent): string {
  const id = event.id.replace(/^sha256:/, '');
  return event.attributes.name || (/^[0-9a-f]{64}$/.test(id) ? short_id(id) : id);
}

import type { System, TokenItem, TokenRequest } from '../api/client';
import { duration, size } from '../base/format';
import { t } from '../base/i18n.svelte';
import { limit_fields, limit_value, within, type LimitName } from '../executions/program';

type Changes = NonNullable<TokenRequest['limits']>;

/** What was typed: the most that a program may have, in the unit of its field. */
export interface TypedLimits {
  max: Record<LimitName, number | null>;
  /** Whether programs are kept from the network. */
  offline: boolean;
  executions_max: number | null;
  queue_max: number | null;
}

export function no_typed_limits(): TypedLimits {
  const none = limit_fields.map(({ name }) => [name, null]);
  return {
    max: Object.fromEntries(none) as TypedLimits['max'],
    offline: false,
    executions_max: null,
    queue_max: null,
  };
}

/** The fields whose number lies outside what the maker of the token has. */
export function out_of_bounds(typed: TypedLimits, bounds: System['limits']): LimitName[] {
  return limit_fields
    .filter((field) => {
      const value = typed.max[field.name];
      return value !== null && !within(bounds[field.name], limit_value(field, value));
    })
    .map(({ name }) => name);
}

/** The part of the request that limits a token; nothing where nothing was typed. */
export function limits_request(typed: TypedLimits): Partial<TokenRequest> {
  const limits: Changes = {};
  for (const field of limit_fields) {
    const value = typed.max[field.name];
    if (value !== null) limits[field.name] = { max: limit_value(field, value) };
  }
  if (typed.offline) limits.network = { allowed: ['none'] };
  return {
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(typed.executions_max !== null && { executions_max: typed.executions_max }),
    ...(typed.queue_max !== null && { queue_max: typed.queue_max }),
  };
}

/** A token's own limits in words; empty for one that has none. */
export function limit_texts(item: TokenItem): string[] {
  const texts = limit_fields.flatMap(({ name }) => {
    const max = item.limits?.[name]?.max;
    return max === undefined ? [] : [`${t(`limits.${name}`)} ≤ ${quantity(name, max)}`];
  });
  const network = item.limits?.network?.allowed;
  if (network) texts.push(`${t('mode.network')}: ${network.join(', ')}`);
  if (item.executions_max !== null) {
    texts.push(t('tokens.at_once_of', { count: item.executions_max }));
  }
  if (item.queue_max !== null) texts.push(t('tokens.waiting_of', { count: item.queue_max }));
  return texts;
}

function quantity(name: LimitName, value: number): string {
  if (name.endsWith('_ms')) return duration(value);
  return name.endsWith('_bytes') ? size(value) : String(value);
}

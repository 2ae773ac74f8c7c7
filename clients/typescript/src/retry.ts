import { setTimeout as pause } from 'node:timers/promises';

import { BusyError, ConnectionError } from './errors.js';

/**
 * How long to wait for a server that is not there, time after time: it may be starting again. One
 * that is busy says itself for how long, if that is longer.
 */
export const retryPausesMs = [500, 1_000, 2_000, 4_000, 8_000];

/** A pause that ends early when the signal is aborted. */
export function restFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return pause(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

function isServerGone(error: unknown): boolean {
  return error instanceof ConnectionError && error.where === 'server';
}

/** Whether what is asked for goes on, and only its news can not be had now. */
export function isNotNow(error: unknown): boolean {
  return isServerGone(error) || error instanceof BusyError;
}

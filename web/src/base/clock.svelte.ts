const state = $state({ now: Date.now() });

/** The time for ages on the page; reading it in a template keeps the age fresh. */
export function now(): number {
  return state.now;
}

export function start_clock(): void {
  setInterval(() => (state.now = Date.now()), 1000);
}

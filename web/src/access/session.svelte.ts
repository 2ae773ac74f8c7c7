import { api, on_signed_out, Problem, type Role, type User } from '../api/client';

type Session =
  | { state: 'unknown' }
  | { state: 'failed'; problem: Problem }
  | { state: 'signed_out'; ended: boolean; needs_setup: boolean }
  | { state: 'signed_in'; user: User };

let current = $state.raw<Session>({ state: 'unknown' });

export function session(): Session {
  return current;
}

const ranks: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the signed-in user's role includes `role`. */
export function may(role: Role): boolean {
  return current.state === 'signed_in' && ranks[current.user.role] >= ranks[role];
}

export function signed_in(user: User): void {
  current = { state: 'signed_in', user };
}

export async function sign_out(): Promise<void> {
  await api.sign_out();
  current = { state: 'signed_out', ended: false, needs_setup: false };
}

/** Finds out who is signed in, and whether there is anybody who could. */
export async function restore_session(): Promise<void> {
  on_signed_out(() => {
    if (current.state !== 'signed_in') return;
    current = { state: 'signed_out', ended: true, needs_setup: false };
  });
  try {
    signed_in((await api.me()).user);
  } catch (failure) {
    const problem = Problem.from(failure);
    current = problem.status === 401 ? await nobody() : { state: 'failed', problem };
  }
}

async function nobody(): Promise<Session> {
  const setup = await api.setup_state().catch(() => ({ needed: false }));
  return { state: 'signed_out', ended: false, needs_setup: setup.needed };
}

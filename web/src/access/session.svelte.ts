import { tick } from 'svelte';
import { api, on_signed_out, Problem, type Me, type Role, type User } from '../api/client';

type Session =
  | { state: 'unknown' }
  | { state: 'failed'; problem: Problem }
  | { state: 'signed_out'; ended: boolean; needs_setup: boolean }
  | { state: 'signed_in'; user: User; totp: boolean };

let current = $state.raw<Session>({ state: 'unknown' });

export function session(): Session {
  return current;
}

/** What each role includes; `any` is everybody who is signed in. */
const includes: Record<Role, readonly (Role | 'any')[]> = {
  executor: ['any', 'executor'],
  viewer: ['any', 'viewer'],
  operator: ['any', 'executor', 'viewer', 'operator'],
  admin: ['any', 'executor', 'viewer', 'operator', 'admin'],
};

/** Whether the signed-in user's role includes `role`; on one host they may have less. */
export function may(role: Role | 'any'): boolean {
  return current.state === 'signed_in' && includes[current.user.role].includes(role);
}

let last_user: string | undefined;

/** After a session that ended by itself, the same user finds the page as it was, another not. */
export function signed_in({ user, totp }: Me): void {
  if (last_user !== undefined && last_user !== user.id) location.reload();
  last_user = user.id;
  current = { state: 'signed_in', user, totp };
}

export async function sign_out(): Promise<void> {
  // First nothing is shown, so that nothing asks the server once the session is over.
  current = { state: 'unknown' };
  await tick();
  try {
    await api.sign_out();
  } catch (failure) {
    const problem = Problem.from(failure);
    if (problem.status !== 401) {
      current = { state: 'failed', problem };
      return;
    }
  }
  // What the page holds of programs and output belongs to nobody any more.
  location.reload();
}

/** Finds out who is signed in, and whether there is anybody who could. */
export async function restore_session(): Promise<void> {
  on_signed_out(() => {
    if (current.state !== 'signed_in') return;
    current = { state: 'signed_out', ended: true, needs_setup: false };
  });
  try {
    await read_me();
  } catch (failure) {
    const problem = Problem.from(failure);
    current = problem.status === 401 ? await nobody() : { state: 'failed', problem };
  }
}

/** Asks who is signed in, as after a change of one's own account. */
export async function read_me(): Promise<void> {
  signed_in(await api.me());
}

async function nobody(): Promise<Session> {
  const setup = await api.setup_state().catch(() => ({ needed: false }));
  return { state: 'signed_out', ended: false, needs_setup: setup.needed };
}

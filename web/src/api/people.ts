import { call, encode, request, type Schemas } from './client';

export type Grant = Schemas['Grant'];
export type ExtraRight = Schemas['ExtraRight'];
export type GrantRequest = Schemas['GrantRequest'];
export type SessionItem = Schemas['Session'];

export interface Oidc {
  enabled: boolean;
}

const of_user = (user: string): string =>
  user === 'me' ? '/api/v1/me' : `/api/v1/users/${encode(user)}`;

export const people_api = {
  grants: (user: string) => call<{ items: Grant[] }>('GET', `${of_user(user)}/grants`),
  set_grants: (user: string, items: readonly GrantRequest[]) =>
    call<{ items: Grant[] }>('PUT', `${of_user(user)}/grants`, { items }),
  /** Of `me`, or of another user for admins. */
  sessions: (user: string) => call<{ items: SessionItem[] }>('GET', `${of_user(user)}/sessions`),
  end_session: (user: string, id: string) =>
    call<void>('DELETE', `${of_user(user)}/sessions/${encode(id)}`),
  begin_totp: () => call<Schemas['TotpSecret']>('POST', '/api/v1/me/totp'),
  confirm_totp: (code: string, password: string) =>
    call<Schemas['RecoveryCodes']>('PUT', '/api/v1/me/totp', { code, password }),
  end_totp: (password: string) => call<void>('DELETE', '/api/v1/me/totp', { password }),
  /** For a user who has lost both the authenticator and the recovery codes. */
  remove_totp: (user: string) => call<void>('DELETE', `${of_user(user)}/totp`),
  oidc: async (): Promise<Oidc> => (await request('GET', '/api/v1/oidc')).json(),
};

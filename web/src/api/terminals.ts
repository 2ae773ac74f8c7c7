import { call, encode, request, with_query, type Query, type Schemas } from './client';
import { of_container } from './fleet';

export type Terminal = Schemas['ContainerTerminal'];
export type TerminalRequest = Schemas['NewTerminal'];
export type Recording = Schemas['Recording'];

export const terminals_api = {
  list: () => call<{ items: Terminal[]; next: string | null }>('GET', '/api/v1/terminals'),
  open: (host: string, container: string, wanted: TerminalRequest) =>
    call<Schemas['OpenedTerminal']>(
      'POST',
      `${of_container(host, container)}/terminals`,
      wanted,
    ),
  ticket: (id: string) =>
    call<Schemas['TerminalTicket']>('POST', `/api/v1/terminals/${encode(id)}/tickets`),
  end: (id: string) => call<Schemas['TerminalEnd']>('DELETE', `/api/v1/terminals/${encode(id)}`),
};

export const recordings_api = {
  list: (query: Query) =>
    call<{ items: Recording[]; next: string | null }>(
      'GET',
      with_query('/api/v1/recordings', query),
    ),
  cast: async (id: string): Promise<string> =>
    (await request('GET', `/api/v1/recordings/${encode(id)}`)).text(),
  path: (id: string): string => `/api/v1/recordings/${encode(id)}`,
  remove: (id: string) => call<void>('DELETE', `/api/v1/recordings/${encode(id)}`),
};

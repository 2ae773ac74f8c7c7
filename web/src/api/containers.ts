import { call, with_query, type Schemas } from './client';
import { of_container, of_host } from './fleet';

export type ContainerDetails = Schemas['ContainerDetails'];
export type ContainerLogEvent = Schemas['ContainerLogEvent'];
export type HealthDetails = Schemas['ContainerHealth'];
export type StatsReading = Schemas['ContainerStats'];
export type Change = Schemas['ContainerChange'];
export type CreateRequest = Schemas['ContainerForm'];

export type Verb = 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'kill';

export const container_api = {
  one: (host: string, id: string, signal?: AbortSignal) =>
    call<ContainerDetails>('GET', of_container(host, id), undefined, { signal }),
  unmasked: (host: string, id: string) =>
    call<ContainerDetails>('GET', with_query(of_container(host, id), { unmask: 'true' })),
  act: (host: string, id: string, verb: Verb, more?: object) =>
    call<unknown>('POST', `${of_container(host, id)}/${verb}`, more),
  rename: (host: string, id: string, name: string) =>
    call<unknown>('POST', `${of_container(host, id)}/rename`, { name }),
  update: (host: string, id: string, limits: object) =>
    call<unknown>('POST', `${of_container(host, id)}/update`, limits),
  remove: (host: string, id: string, how: { force?: string; volumes?: string }) =>
    call<unknown>('DELETE', with_query(of_container(host, id), how)),
  top: (host: string, id: string) =>
    call<Schemas['ContainerProcesses']>('GET', `${of_container(host, id)}/top`),
  changes: (host: string, id: string) =>
    call<Schemas['ContainerChanges']>('GET', `${of_container(host, id)}/changes`),
  log_download: (host: string, id: string): string =>
    with_query(`${of_container(host, id)}/logs`, { download: 'true', timestamps: 'true' }),
  create: (host: string, wanted: CreateRequest) =>
    call<Schemas['ContainerCreated']>(
      'POST',
      `${of_host(host)}/containers`,
      wanted,
    ),
};

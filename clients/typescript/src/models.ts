import type { components, operations } from './schema.js';

export type Schemas = components['schemas'];
export type Container = Schemas['Container'];
export type ContainerDetails = Schemas['ContainerDetails'];
export type ContainerStats = Schemas['ContainerStats'];
export type ExecInContainer = Schemas['ExecInContainer'];
export type ExecResult = Schemas['ExecResult'];
export type HostImage = Schemas['HostImage'];
export type PulledImage = Schemas['PulledImage'];
export type PullProgress = Schemas['PullProgress'];
export type RemovedImage = Schemas['RemovedImage'];
export type Prune = Schemas['Prune'];
export type Project = Schemas['Project'];
export type ProjectItem = Schemas['ProjectItem'];
export type ProjectChange = Schemas['ProjectChange'];
export type DiskUsage = Schemas['DiskUsage'];
export type ContainerForm = Schemas['ContainerForm'];
export type ContainerCreated = Schemas['ContainerCreated'];
export type ContainerUpdate = Schemas['ContainerUpdate'];
export type ContainerChanges = Schemas['ContainerChanges'];
export type ContainerProcesses = Schemas['ContainerProcesses'];
export type Volume = Schemas['Volume'];
export type NewVolume = Schemas['NewVolume'];
export type Network = Schemas['Network'];
export type NewNetwork = Schemas['NewNetwork'];
export type HostInfo = Schemas['Host'];
export type NewHost = Schemas['NewHost'];
export type HostChange = Schemas['HostChange'];
export type HostTest = Schemas['HostTest'];
export type HostDoctor = Schemas['HostDoctor'];
export type ContainerList = Schemas['ContainerList'];
export type ContainerResult = Schemas['ContainerResult'];
export type ContainerQuery = NonNullable<operations['list_containers']['parameters']['query']>;
/** What to do to many containers, with what that takes: `{ action: 'stop', grace_seconds: 3 }`. */
export type BulkAction = Omit<Schemas['ContainerBulk'], 'containers'>;
export interface ContainerTarget {
  host: string;
  /** Or its name. */
  id: string;
}

/** Of lists: words that must be in the name, and a page of them. */
export interface ListOptions {
  q?: string;
  limit?: number;
  cursor?: string;
}

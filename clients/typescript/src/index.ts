export * as infra from './infra.js';
export { GantryClient } from './client.js';
export type { AnswerOf, PathOf, RequestOptions, StreamOptions } from './api.js';
export type {
  Execution, ExecutionEvent, ExecutionSubmission, RunOptions, System, components, operations, paths,
} from './client.js';
export type { ConnectionOptions } from './connection.js';
export {
  checkDockerAccess, getComposeProjectContainers, getContainerLogs, getContainerStatus,
  getDockerVersion, restartContainer,
} from './docker.js';
export type { ContainerState, ContainerStatus, DockerOptions } from './docker.js';
export {
  BusyError, ConnectionError, GantryError, ImagePullError, NetworkModeError, PermissionError,
  RequestError, SandboxError,
} from './errors.js';
export type { ErrorDetails, Where } from './errors.js';
export { DefaultExecutorFactory, DockerExecutor, LocalSandboxExecutor } from './executors.js';
export type { ExecutorOptions } from './executors.js';
export { Fleet } from './fleet.js';
export type { EventOptions, FleetEvent } from './fleet.js';
export { Host, HostContainer, HostProject } from './hosts.js';
export type {
  LogEntry, LogOptions, ProjectLogEntry, ProjectLogOptions, StartOptions, StopOptions,
} from './hosts.js';
export type {
  BulkAction, Container, ContainerChanges, ContainerCreated, ContainerDetails, ContainerForm,
  ContainerList, ContainerProcesses, ContainerQuery, ContainerResult, ContainerStats,
  ContainerTarget, ContainerUpdate, DiskUsage, ExecInContainer, ExecResult, HostChange, HostDoctor,
  HostImage, HostInfo, HostTest, ListOptions, Network, NewHost, NewNetwork, NewVolume, Project,
  ProjectChange, ProjectItem, Prune, PulledImage, PullProgress, RemovedImage, Volume,
} from './models.js';
export {
  createTimeoutPromise, sanitizeEnvironment, truncateOutput, validatePath,
} from './utilities.js';
export { DEFAULT_SANDBOX_POLICY } from './types.js';
export type {
  CodeExecutionResult, CodeExecutor, ExecutionFile, ExecutionRequest, ExecutorFactory,
  SandboxPolicy,
} from './types.js';

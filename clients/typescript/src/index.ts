export * as infra from './infra.js';
export { GantryClient } from './client.js';
export type {
  AnswerOf, Execution, ExecutionEvent, ExecutionSubmission, PathOf, RequestOptions, RunOptions,
  StreamOptions, System, components, operations, paths,
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
export { Host, HostContainer, HostProject } from './hosts.js';
export type {
  Container, ContainerDetails, ContainerStats, DiskUsage, ExecInContainer, ExecResult, HostImage,
  LogEntry, LogOptions, Project, ProjectChange, ProjectLogEntry, ProjectLogOptions, Prune,
  PullProgress, PulledImage, RemovedImage, StartOptions, StopOptions,
} from './hosts.js';
export {
  createTimeoutPromise, sanitizeEnvironment, truncateOutput, validatePath,
} from './utilities.js';
export { DEFAULT_SANDBOX_POLICY } from './types.js';
export type {
  CodeExecutionResult, CodeExecutor, ExecutionFile, ExecutionRequest, ExecutorFactory,
  SandboxPolicy,
} from './types.js';

// The names under `infra`, where the users of the origin find them.
export { DefaultExecutorFactory, DockerExecutor, LocalSandboxExecutor } from './executors.js';
export {
  createTimeoutPromise, sanitizeEnvironment, truncateOutput, validatePath,
} from './utilities.js';
export { DEFAULT_SANDBOX_POLICY } from './types.js';

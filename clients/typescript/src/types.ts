/** What a program may use. */
export interface SandboxPolicy {
  /** 1 to 300: its CPU time, and its wall time unless the request has a `timeoutMs`. */
  readonly maxCpuSeconds: number;
  /** 1 to 4096 (local: 2048) MiB. */
  readonly maxMemoryMb: number;
  /** `outbound` reaches the outside; not the host, private networks or other sandboxes. */
  readonly networkAccess: 'none' | 'outbound' | 'full';
  /**
   * What it can write to: its work folder (`sandbox`), `/tmp` as well (`temp`), or both, and the
   * folder `workspace` below is kept under the name in the option `workspace` (`workspace`; without
   * that option as `temp`).
   */
  readonly filesystemScope: 'workspace' | 'temp' | 'sandbox';
}

export interface ExecutionFile {
  /** Relative to the work folder; folders are made. */
  readonly path: string;
  readonly content: string;
  readonly encoding?: 'utf8' | 'base64';
  readonly executable?: boolean;
}

export interface ExecutionRequest {
  /** `python`, `javascript`, `bash`, `shell` and whatever else the server has, or their aliases. */
  readonly language: string;
  readonly code: string;
  /** After this much wall time the program is ended. */
  readonly timeoutMs?: number;
  /** Taken for compatibility and not used: folders of this machine are not sent anywhere. */
  readonly workingDirectory?: string;
  readonly files?: readonly ExecutionFile[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Ends the program when it is aborted; the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
}

export interface CodeExecutionResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The program's own; 128 + N after signal N, 137 over a limit, 1 over its time. */
  readonly exitCode: number;
  /** From the call to the answer. */
  readonly durationMs: number;
  /** Whether `stdout` or `stderr` was longer than what is here. */
  readonly truncated?: boolean;
  /** How it ended, in the server's words: `ok`, `failed`, `timed_out`, `memory_exceeded`. */
  readonly verdict?: string;
  readonly timedOut?: boolean;
  /** Which executor served: `docker` or `local`. */
  readonly executor?: string;
  /** Which network it really had. */
  readonly network?: SandboxPolicy['networkAccess'];
  /** Under which the server keeps it. */
  readonly executionId?: string;
}

export interface CodeExecutor {
  readonly policy: SandboxPolicy;
  /** Answers however the program ended; rejects with a GantryError when it could not be run. */
  execute(request: ExecutionRequest): Promise<CodeExecutionResult>;
  /** Throws when a value is out of bounds. */
  verifyPolicy(policy: SandboxPolicy): void;
}

export interface ExecutorFactory {
  createDockerExecutor(policy: SandboxPolicy): Promise<CodeExecutor>;
  createLocalSandbox(policy: SandboxPolicy): Promise<CodeExecutor>;
}

export const DEFAULT_SANDBOX_POLICY: SandboxPolicy = Object.freeze({
  maxCpuSeconds: 30,
  maxMemoryMb: 512,
  networkAccess: 'outbound',
  filesystemScope: 'workspace',
});

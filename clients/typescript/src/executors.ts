import { setTimeout as pause } from 'node:timers/promises';

import { GantryClient, type Execution, type ExecutionSubmission } from './client.js';
import type { ConnectionOptions } from './connection.js';
import { GantryError, NetworkModeError, RequestError, SandboxError, errorOf } from './errors.js';
import { OUTPUT_LENGTH_MAX, truncateOutput } from './utilities.js';
import type {
  CodeExecutionResult, CodeExecutor, ExecutionRequest, ExecutorFactory, SandboxPolicy,
} from './types.js';

type Network = SandboxPolicy['networkAccess'];
/** An execution that has ended, and the network it had. */
type Ran = { execution: Execution; network: Network };
type Limits = NonNullable<ExecutionSubmission['limits']>;

/** What the constructors take besides the policy. Everything has a default. */
export interface ExecutorOptions extends ConnectionOptions {
  /**
   * What to do where the server does not offer the policy's network: `refuse` (the default) rejects
   * with a NetworkModeError; `none` warns and runs without network.
   */
  networkFallback?: 'refuse' | 'none';
  /** The name under which the folder `workspace` is kept, for the scope `workspace`. */
  workspace?: string;
  /** How many UTF-16 code units of each output a result has: 8000. */
  maxOutputLength?: number;
  /** What is being prepared, in words: an image is pulled, and how far that is. */
  onProgress?: (message: string) => void;
  /** Warnings; `console.warn` unless given. */
  onWarning?: (message: string) => void;
}

const secondsMax = 300;
/** A server that has started knows whether its engine answers. */
const knownAfterMs = 5_000;
const askAgainMs = 100;
const mebibyte = 1024 * 1024;
/** Other names of languages that the server may not know. */
const otherNames: Readonly<Record<string, string>> = {
  py: 'python', js: 'javascript', ts: 'typescript', shell: 'sh',
};

function exitCodeOf(execution: Execution): number {
  switch (execution.verdict) {
    case 'timed_out':
      return 1;
    case 'signalled':
      return 128 + (execution.signal ?? 0);
    case 'cpu_exceeded':
    case 'memory_exceeded':
    case 'output_exceeded':
      return 137;
    default:
      return execution.exit_code ?? 1;
  }
}

function decoded(text: string, encoding: Execution['encoding']): string {
  return encoding === 'base64' ? Buffer.from(text, 'base64').toString('utf8') : text;
}

/** What a compiler said of a program that was not run for it. */
function complaintOf({ compile, encoding }: Execution): string {
  if (!compile || compile.verdict === 'ok') return '';
  return decoded(compile.stdout, encoding) + decoded(compile.stderr, encoding);
}

/** What a limit did, after what the program itself wrote. */
function withNote(stderr: string, note: string | undefined): string {
  if (!note) return stderr;
  return stderr === '' || stderr.endsWith('\n') ? stderr + note : `${stderr}\n${note}`;
}

/** Whether there is no such network: the server does not allow it, or can not keep it. */
function refusesNetwork(error: unknown): error is GantryError {
  if (error instanceof RequestError && error.field === 'limits.network') return true;
  return error instanceof GantryError && error.code === 'network_not_available';
}

function refusesLanguage(error: unknown): boolean {
  return error instanceof RequestError && error.field === 'language';
}

/** The origin's differences between its two executors. */
interface Kind {
  readonly executor: 'docker' | 'local';
  readonly memoryMaxMb: number;
  readonly errorPrefix: string;
  tidied(output: string): string;
}
const docker: Kind = {
  executor: 'docker', memoryMaxMb: 4096, errorPrefix: '', tidied: (output) => output.trim(),
};
const local: Kind = {
  executor: 'local', memoryMaxMb: 2048, errorPrefix: 'Error: ', tidied: (output) => output,
};

/** What is the same for both executors: programs run on the server, under the policy. */
abstract class ServerExecutor implements CodeExecutor {
  /** Typed access to everything else that the server does. */
  readonly client: GantryClient;

  constructor(
    private readonly kind: Kind, readonly policy: SandboxPolicy,
    private readonly options: ExecutorOptions,
  ) {
    this.verifyPolicy(policy);
    this.client = new GantryClient(options);
  }

  verifyPolicy(policy: SandboxPolicy): void {
    if (!(policy.maxCpuSeconds > 0 && policy.maxCpuSeconds <= secondsMax)) {
      throw new Error(`maxCpuSeconds must be between 1 and ${secondsMax}`);
    }
    if (!(policy.maxMemoryMb > 0 && policy.maxMemoryMb <= this.kind.memoryMaxMb)) {
      throw new Error(`maxMemoryMb must be between 1 and ${this.kind.memoryMaxMb}`);
    }
  }

  /** Rejects, as `execute` would, when programs can not be run now. */
  abstract ready(): Promise<void>;

  async execute(request: ExecutionRequest): Promise<CodeExecutionResult> {
    const began = Date.now();
    try {
      const { execution, network } = await this.run(request);
      return this.resultOf(execution, network, request, began);
    } catch (error) {
      if (!refusesLanguage(error)) throw error;
      const stderr = `${this.kind.errorPrefix}Unsupported language: ${request.language}`;
      return { stdout: '', stderr, exitCode: 1, durationMs: Date.now() - began };
    }
  }

  private async run(request: ExecutionRequest): Promise<Ran> {
    const wanted = this.policy.networkAccess;
    try {
      return { execution: await this.runWith(wanted, request), network: wanted };
    } catch (error) {
      if (!refusesNetwork(error) || wanted === 'none') throw error;
      const said = `the Gantry server does not offer network '${wanted}': ${error.message}`;
      if (this.options.networkFallback !== 'none') {
        throw new NetworkModeError(said, wanted, {
          code: 'network_refused',
          remedy: "allow networkFallback: 'none', or ask for networkAccess: 'none'",
          cause: error,
        });
      }
      this.warn(`${said}; running without network`);
      return { execution: await this.runWith('none', request), network: 'none' };
    }
  }

  private async runWith(network: Network, request: ExecutionRequest): Promise<Execution> {
    const execution = await this.client.run(this.submissionOf(request, network), {
      signal: request.signal,
      onEvent: (event) => {
        if (event.type === 'progress') this.options.onProgress?.(event.data.message);
      },
    });
    if (execution.verdict === 'cancelled') {
      throw new SandboxError('the execution was cancelled', { code: 'cancelled' });
    }
    if (execution.verdict === 'infrastructure_error') {
      throw errorOf({
        code: execution.error_code ?? 'infrastructure_error',
        detail: execution.message ?? 'the sandbox failed',
      });
    }
    return execution;
  }

  private warn(message: string): void {
    (this.options.onWarning ?? console.warn)(message);
  }

  private limitsOf(request: ExecutionRequest, network: Network): Limits {
    const { maxCpuSeconds, maxMemoryMb, filesystemScope } = this.policy;
    const { workspace } = this.options;
    const cpuMs = Math.ceil(maxCpuSeconds * 1000);
    const limits: Limits = {
      wall_time_ms: Math.ceil(request.timeoutMs || cpuMs),
      cpu_time_ms: cpuMs,
      memory_bytes: Math.ceil(maxMemoryMb * mebibyte),
      on_output_cap: 'truncate',
      network,
      filesystem: filesystemScope === 'workspace' && !workspace ? 'temp' : filesystemScope,
    };
    if (limits.filesystem === 'workspace' && workspace) limits.workspace = workspace;
    return limits;
  }

  private submissionOf(request: ExecutionRequest, network: Network): ExecutionSubmission {
    const name = request.language.toLowerCase();
    const submission: ExecutionSubmission = {
      executor: this.kind.executor,
      language: otherNames[name] ?? name,
      source: request.code,
      limits: this.limitsOf(request, network),
    };
    if (request.files) submission.files = request.files.map((file) => ({ ...file }));
    if (request.environment) submission.env = { ...request.environment };
    if (request.stdin !== undefined) submission.stdin = request.stdin;
    return submission;
  }

  private noteOf(execution: Execution, request: ExecutionRequest): string | undefined {
    if (execution.verdict === 'timed_out') {
      const { wall_time_ms } = this.limitsOf(request, 'none');
      return `${this.kind.errorPrefix}Execution timeout after ${wall_time_ms}ms`;
    }
    const ownEnd = ['ok', 'failed', 'signalled'].includes(execution.verdict ?? '');
    return ownEnd ? undefined : (execution.message ?? execution.verdict ?? undefined);
  }

  private resultOf(
    execution: Execution, network: Network, request: ExecutionRequest, began: number,
  ): CodeExecutionResult {
    const max = this.options.maxOutputLength ?? OUTPUT_LENGTH_MAX;
    const stdout = this.kind.tidied(decoded(execution.stdout, execution.encoding));
    const complaint = complaintOf(execution);
    const stderr = this.kind.tidied(complaint + decoded(execution.stderr, execution.encoding));
    const cut = execution.stdout_truncated || execution.stderr_truncated;
    return {
      stdout: truncateOutput(stdout, max),
      stderr: withNote(truncateOutput(stderr, max), this.noteOf(execution, request)),
      exitCode: exitCodeOf(execution),
      durationMs: Date.now() - began,
      truncated: cut || stdout.length > max || stderr.length > max,
      verdict: execution.verdict ?? 'infrastructure_error',
      timedOut: execution.verdict === 'timed_out',
      executor: execution.executor ?? this.kind.executor,
      network,
      executionId: execution.id,
    };
  }
}

/** Runs programs in fresh containers of the server's Docker engine. */
export class DockerExecutor extends ServerExecutor {
  constructor(policy: SandboxPolicy, options: ExecutorOptions = {}) {
    super(docker, policy, options);
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + knownAfterMs;
    for (;;) {
      const { engine } = await this.client.system();
      if (engine?.error) throw errorOf(engine.error);
      // A server that has just started neither is connected nor says why not.
      if (engine?.state !== 'unreachable' || Date.now() >= deadline) return;
      await pause(askAgainMs);
    }
  }
}

/** Runs programs in namespaces of the server's machine, without an engine. */
export class LocalSandboxExecutor extends ServerExecutor {
  constructor(policy: SandboxPolicy, options: ExecutorOptions = {}) {
    super(local, policy, options);
  }

  async ready(): Promise<void> {
    await this.client.system();
  }
}

export class DefaultExecutorFactory implements ExecutorFactory {
  /** `options` go to every executor that it makes. */
  constructor(private readonly options: ExecutorOptions = {}) {}

  async createLocalSandbox(policy: SandboxPolicy): Promise<LocalSandboxExecutor> {
    return new LocalSandboxExecutor(policy, this.options);
  }

  async createDockerExecutor(policy: SandboxPolicy): Promise<DockerExecutor> {
    try {
      return new DockerExecutor(policy, this.options);
    } catch (error) {
      const message = error instanceof Error ? error.message : 'Unknown error';
      throw new Error(`Failed to create Docker executor: ${message}`);
    }
  }
}


/**
 * What kept a program from being run. A program that ran and failed, or ran out of time, is no
 * error: that is a result.
 *
 * The classes are for `instanceof`; where the ES module and the CommonJS build meet in one
 * process, compare `name` or `code` instead.
 */
export class GantryError extends Error {
  /** A stable word for programs, as the server has it: `invalid_field`, `engine_not_running`. */
  readonly code: string;
  /** What to do about it, where that is known. */
  readonly remedy: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    const options = details.cause === undefined ? undefined : { cause: details.cause };
    super(details.remedy ? `${message}; ${details.remedy}` : message, options);
    this.name = new.target.name;
    this.code = details.code ?? 'failed';
    this.remedy = details.remedy;
  }
}

export interface ErrorDetails {
  code?: string;
  remedy?: string | undefined;
  cause?: unknown;
}

/** Who could not be reached, or may not be. */
export type Where = 'server' | 'engine';

/** Nobody answers: neither the Gantry server, or not the Docker engine behind it. */
export class ConnectionError extends GantryError {
  constructor(message: string, readonly where: Where, details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** The server does not let this token do it, or the engine's socket does not let the server. */
export class PermissionError extends GantryError {
  constructor(message: string, readonly where: Where, details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** The image could not be pulled; the message has the registry's own words. */
export class ImagePullError extends GantryError {}

/** The server does not offer the network that the policy asks for. */
export class NetworkModeError extends GantryError {
  constructor(message: string, readonly mode: string, details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** The request is wrong, and will be next time: the message names the field and its bounds. */
export class RequestError extends GantryError {
  constructor(message: string, readonly status: number, details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** Too many programs run or wait. */
export class BusyError extends GantryError {
  constructor(message: string, readonly retryAfterMs: number, details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** The sandbox itself failed in any other way. */
export class SandboxError extends GantryError {}

/** The body of a refusal: RFC 9457, as the server writes it. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  remedy?: string | undefined;
}

/** What the engine's errors are called by the server. */
function errorOfEngine(code: string, detail: string, details: ErrorDetails): GantryError {
  if (code === 'engine_permission_denied') {
    const message = 'permission denied while trying to connect to the Docker daemon socket';
    return new PermissionError(`${message}: ${detail}`, 'engine', details);
  }
  const message = 'Docker daemon is not running or not accessible';
  return new ConnectionError(`${message}: ${detail}`, 'engine', details);
}

/** An answer that is no success, as the error that says whose it is. */
export function errorOfProblem(problem: Problem, retryAfter: string | null): GantryError {
  const details = { code: problem.code, remedy: problem.remedy };
  if (problem.code.startsWith('engine_')) {
    return errorOfEngine(problem.code, problem.detail, details);
  }
  if (problem.status === 401 || problem.status === 403) {
    return new PermissionError(problem.detail, 'server', details);
  }
  if (problem.status === 429) {
    return new BusyError(problem.detail, 1000 * Number(retryAfter ?? 1), details);
  }
  if (problem.status < 500) return new RequestError(problem.detail, problem.status, details);
  return new SandboxError(problem.detail, details);
}

/** Why an execution ended as `infrastructure_error`. */
export function errorOfTrouble(message: string, engine: EngineTrouble | undefined): GantryError {
  if (/^cannot pull /.test(message)) {
    return new ImagePullError(`Error pulling image: ${message}`, { code: 'pull_failed' });
  }
  const ownReason = /^cannot run (with|this) /.test(message);
  if (engine && !ownReason) return errorOfEngine(engine.code, message, { code: engine.code });
  return new SandboxError(message, { code: 'infrastructure_error' });
}

/** What `GET /api/v1/system` says of an engine that can not be reached. */
export interface EngineTrouble {
  code: string;
}

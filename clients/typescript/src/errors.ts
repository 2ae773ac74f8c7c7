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

abstract class PlacedError extends GantryError {
  constructor(message: string, readonly where: Where, details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** Nobody answers: neither the Gantry server, or not the Docker engine behind it. */
export class ConnectionError extends PlacedError {}

/** The server does not let this token do it, or the engine's socket does not let the server. */
export class PermissionError extends PlacedError {}

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
  /** The field that is wrong, where it is one: `limits.memory_bytes`. */
  readonly field: string | undefined;

  constructor(message: string, readonly status: number, details: ErrorDetails = {}) {
    super(message, details);
    const named = this.code === 'invalid_field' ? /^field '([^']*)'/.exec(message) : null;
    this.field = named?.[1];
  }
}

/** Too many programs run or wait, or another one has the workspace. */
export class BusyError extends GantryError {
  constructor(message: string, readonly retryAfterMs: number, details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** The sandbox itself failed in any other way. */
export class SandboxError extends GantryError {}

/** What went wrong, as the server says it: in an answer (RFC 9457), or of an execution. */
export interface Problem {
  /** Of the answer, if it is one. */
  status?: number;
  code: string;
  detail: string;
  remedy?: string | undefined;
}

type Make = (message: string, details: ErrorDetails) => GantryError;

const noServer: Make = (message, details) => new ConnectionError(message, 'server', details);
const noEngine: Make = (message, details) =>
  new ConnectionError(`Docker daemon is not running or not accessible: ${message}`, 'engine',
    details);
const noRight: Make = (message, details) => new PermissionError(message, 'server', details);
const noRightOnEngine: Make = (message, details) => new PermissionError(
  `permission denied while trying to connect to the Docker daemon socket: ${message}`, 'engine',
  details);
const notNow: Make = (message, details) => new BusyError(message, 1000, details);
const noImage: Make = (message, details) =>
  new ImagePullError(`Error pulling image: ${message}`, details);

/** What the server's codes are here; docs/executions.md lists them. */
const makers: ReadonlyMap<string, Make> = new Map([
  ['server_stopping', noServer],
  ['server_stopped', noServer],
  // What a proxy says when the server behind it is not there.
  ['http_502', noServer],
  ['http_503', noServer],
  ['http_504', noServer],
  ['engine_socket_missing', noEngine],
  ['engine_not_running', noEngine],
  ['engine_unreachable', noEngine],
  ['engine_timed_out', noEngine],
  ['engine_not_an_engine', noEngine],
  ['engine_too_old', noEngine],
  ['engine_too_new', noEngine],
  ['host_unreachable', noEngine],
  ['host_disabled', noEngine],
  ['host_ended', noEngine],
  ['engine_permission_denied', noRightOnEngine],
  ['engine_denied', noRightOnEngine],
  ['image_not_allowed', noRight],
  ['registry_not_allowed', noRight],
  ['image_not_made', noImage],
  ['engine_no_image', noImage],
  ['engine_no_such_remote_image', noImage],
  ['engine_registry_denied', noImage],
  ['engine_registry_limit', noImage],
  ['engine_registry_unreachable', noImage],
  ['image_pull_failed', noImage],
  ['workspace_in_use', notNow],
  ['too_many_pulls', noImage],
  ['pull_abandoned', noImage],
]);

/** The error that says whose a problem is. `retryAfter` is the header of that name, in seconds. */
export function errorOf(problem: Problem, retryAfter?: string | null): GantryError {
  const { status, code, detail, remedy } = problem;
  const details = { code, remedy };
  const make = makers.get(code);
  if (make) return make(detail, details);
  // The way to the engine broke; what is refused about a way has a status of its own.
  if (/^(ssh|tls)_/.test(code) && (status ?? 503) >= 500) return noEngine(detail, details);
  if (status === 401 || status === 403) return noRight(detail, details);
  if (status === 429) return new BusyError(detail, 1000 * (Number(retryAfter) || 1), details);
  if (status && status < 500) return new RequestError(detail, status, details);
  return new SandboxError(detail, details);
}

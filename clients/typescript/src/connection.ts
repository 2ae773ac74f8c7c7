import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { ConnectionError, errorOf, type Problem } from './errors.js';

/** Where the server is and what it is shown. Everything has a default. */
export interface ConnectionOptions {
  /**
   * `http://127.0.0.1:5920`, with a path where a proxy has the server below one; else the
   * environment's GANTRY_SERVER.
   */
  baseUrl?: string;
  /** An API token; else GANTRY_TOKEN. */
  token?: string;
  /**
   * A file with the token; else GANTRY_TOKEN_FILE. Without any of these, and for a server on this
   * machine, the file that it leaves for the user who runs it.
   */
  tokenFile?: string;
  /** Another `fetch`: for proxies and tests. */
  fetch?: typeof fetch;
}

const usualUrl = 'http://127.0.0.1:5920';
/** Where the packaged service leaves its token, which root can read. */
const serviceFolder = '/var/lib/gantry';

export interface Call {
  body?: unknown;
  accept?: string;
  /** Where a stream of events goes on. */
  lastEventId?: string | undefined;
  signal?: AbortSignal | undefined;
}

function isLocal(url: URL): boolean {
  return ['localhost', '[::1]'].includes(url.hostname) || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

/** What a file of one line or a few holds, if it can be read. */
async function textIn(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The token that the server at `url` has left for its user, and its address. On loopback anybody's
 * program may listen, so none but that server gets it: it writes its addresses beside the token.
 */
async function leftIn(folder: string, url: URL): Promise<{ token: string; at: URL } | undefined> {
  const token = await textIn(join(folder, 'local.token'));
  if (!token) return undefined;
  const listed = (await textIn(join(folder, 'local.addresses'))) ?? '';
  for (const text of listed.split('\n').filter((line) => /^https?:\/\/[\w.[\]:]+$/.test(line))) {
    const at = new URL(text);
    if (!isLocal(at) || at.protocol !== url.protocol || at.port !== url.port) continue;
    if (at.hostname === url.hostname) return { token, at: url };
    // 'localhost' may be of two addresses: this is the one. With TLS the certificate is the name's.
    if (url.hostname === 'localhost') return { token, at: at.protocol === 'https:' ? url : at };
  }
  return undefined;
}

function problemOf(status: number, text: string): Problem {
  const detail = `the server answered ${status}`;
  const unknown: Problem = { status, code: `http_${status}`, detail };
  try {
    const said = JSON.parse(text) as Partial<Problem>;
    return {
      status,
      code: said.code ?? unknown.code,
      detail: said.detail ?? unknown.detail,
      remedy: said.remedy,
    };
  } catch {
    return unknown;
  }
}

function causeOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  if (cause?.code === 'ECONNREFUSED') return 'nothing listens there';
  return cause?.message || (error as Error).message;
}

/** One server over HTTP. Reads the token for every call: a server makes another at each start. */
export class Connection {
  readonly baseUrl: string;
  private readonly url: URL;

  constructor(private readonly options: ConnectionOptions = {}) {
    this.baseUrl = options.baseUrl ?? process.env.GANTRY_SERVER ?? usualUrl;
    this.url = new URL(this.baseUrl);
  }

  /** What an operation answers with, if anything; throws a GantryError when it refuses. */
  async json(method: string, path: string, call: Call = {}): Promise<unknown> {
    const response = await this.send(method, path, call);
    const text = await this.attempt(() => response.text(), call.signal);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Answers with a success, whose body is yet to come; throws a GantryError otherwise. */
  async send(method: string, path: string, call: Call = {}): Promise<Response> {
    const headers: Record<string, string> = { accept: call.accept ?? 'application/json' };
    const { token, at } = await this.credential();
    if (token) headers.authorization = `Bearer ${token}`;
    if (call.lastEventId) headers['last-event-id'] = call.lastEventId;
    const init: RequestInit = { method, headers, redirect: 'error' };
    if (call.signal) init.signal = call.signal;
    if (call.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(call.body);
    }
    const to = this.addressOf(path, at);
    const response = await this.attempt(() => (this.options.fetch ?? fetch)(to, init), call.signal);
    if (response.ok) return response;
    const text = await response.text().catch(() => '');
    throw errorOf(problemOf(response.status, text), response.headers.get('retry-after'));
  }

  /** Does something with the network; says as what it failed. */
  async attempt<T>(action: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await action();
    } catch (error) {
      // Node 18 rejects with an error of its own instead of the reason.
      if (signal?.aborted) throw signal.reason;
      throw this.unreachable(error);
    }
  }

  private addressOf(path: string, at: URL): string {
    const { protocol, host } = at;
    const { pathname } = this.url;
    return `${protocol}//${host}${pathname.replace(/\/+$/, '')}${path}`;
  }

  /** The error of a connection that could not be made, or broke off. */
  unreachable(error: unknown): ConnectionError {
    return new ConnectionError(
      `cannot reach the Gantry server at '${this.baseUrl}': ${causeOf(error)}`, 'server',
      { code: 'server_unreachable', remedy: "start it with 'gantry serve'", cause: error });
  }

  /** What to show, and whom to ask. */
  private async credential(): Promise<{ token: string | undefined; at: URL }> {
    const { token, tokenFile } = this.options;
    const at = this.url;
    if (token) return { token, at };
    const named = tokenFile ?? process.env.GANTRY_TOKEN_FILE;
    if (tokenFile === undefined && process.env.GANTRY_TOKEN) {
      return { token: process.env.GANTRY_TOKEN, at };
    }
    if (named) return { token: await textIn(named), at };
    // It is worth everything on this machine: it goes to no other.
    if (!isLocal(at)) return { token: undefined, at };
    const data = process.env.XDG_DATA_HOME || join(homedir(), '.local/share');
    const left = (await leftIn(join(data, 'gantry'), at)) ?? (await leftIn(serviceFolder, at));
    return left ?? { token: undefined, at };
  }
}

import { Api } from './api.js';
import { BusyError } from './errors.js';
import { Fleet } from './fleet.js';
import { Host } from './hosts.js';
import { isNotNow, restFor, retryPausesMs } from './retry.js';
import type { components, operations, paths } from './schema.js';
import { Told, type ExecutionEvent } from './told.js';

type Schemas = components['schemas'];
export type ExecutionSubmission = Schemas['ExecutionRequest'];
export type Execution = Schemas['Execution'];
export type System = Schemas['System'];

export interface RunOptions {
  signal?: AbortSignal | undefined;
  onEvent?: ((event: ExecutionEvent) => void) | undefined;
}

const cancelDeadlineMs = 5_000;

/** The API of a Gantry server, typed by its contract. */
export class GantryClient extends Api {
  /** The server, its engine, its languages and limits. */
  system(): Promise<System> {
    return this.request('get', '/api/v1/system');
  }

  /** Takes a program and answers at once; `events` or `execution` tell what becomes of it. */
  submit(submission: ExecutionSubmission, signal?: AbortSignal): Promise<Execution> {
    return this.request('post', '/api/v1/executions', { body: submission, signal });
  }

  execution(id: string, signal?: AbortSignal): Promise<Execution> {
    return this.request('get', '/api/v1/executions/{id}', { path: { id }, signal });
  }

  /** Ends a program that waits or runs. */
  cancel(id: string): Promise<Execution> {
    return this.request('delete', '/api/v1/executions/{id}', { path: { id } });
  }

  /**
   * What happens in an execution, from its start; ends after the verdict, and without one when the
   * server is being stopped. A stream that breaks off is a ConnectionError; `run` takes it up again.
   */
  async *events(id: string, signal?: AbortSignal): AsyncGenerator<ExecutionEvent> {
    const events = this.stream('GET', '/api/v1/executions/{id}/events', { path: { id }, signal });
    for await (const { name, data } of events) {
      yield { type: name, data: JSON.parse(data) } as ExecutionEvent;
    }
  }

  /** All hosts: what they have, and what happens on them. */
  readonly fleet = new Fleet(this);

  /** A host that the server knows by this name, and what is on it. */
  host(name = 'local'): Host {
    return new Host(this, name);
  }

  /**
   * Runs a program and answers when it has ended. Aborting the signal ends the program too; the
   * promise is then rejected with the signal's reason. A stream that breaks off is taken up again
   * while the server answers, and for 15 s while it does not, or longer if it is there and asks for
   * that; every event is told once.
   */
  async run(submission: ExecutionSubmission, options: RunOptions = {}): Promise<Execution> {
    const { signal, onEvent } = options;
    const { id } = await this.take(submission, signal);
    try {
      return await this.follow(id, signal, onEvent);
    } catch (error) {
      if (signal?.aborted) await this.endQuietly(id);
      throw error;
    }
  }

  /** Submits; what is aborted meanwhile is ended as soon as its id is known. */
  private async take(
    submission: ExecutionSubmission, signal: AbortSignal | undefined,
  ): Promise<Execution> {
    signal?.throwIfAborted();
    const submitted = this.submit(submission);
    if (!signal) return submitted;
    let abort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
    });
    try {
      return await Promise.race([submitted, aborted]);
    } catch (error) {
      if (signal.aborted) submitted.then(({ id }) => this.endQuietly(id), () => undefined);
      throw error;
    } finally {
      if (abort) signal.removeEventListener('abort', abort);
    }
  }

  /** Follows an execution to its end; goes on with another stream when one breaks off. */
  private async follow(
    id: string, signal: AbortSignal | undefined, onEvent: RunOptions['onEvent'],
  ): Promise<Execution> {
    const told = new Told();
    for (let failures = 0; ; ) {
      let broken: unknown;
      try {
        const verdict = await this.followOnce(id, signal, told, onEvent);
        if (verdict) return verdict;
        broken = this.connection.unreachable(new Error('its events break off'));
      } catch (error) {
        if (!isNotNow(error)) throw error;
        broken = error;
      }
      const askedMs = broken instanceof BusyError ? broken.retryAfterMs : 0;
      const now = await this.lookUp(id, signal);
      if (now && now.state !== 'finished') failures = 0;
      const pauseMs = retryPausesMs[failures++];
      if (pauseMs !== undefined) await restFor(Math.max(pauseMs, askedMs), signal);
      signal?.throwIfAborted();
      if (pauseMs !== undefined) continue;
      if (now) return now;
      throw broken;
    }
  }

  /** One stream of events; answers with the verdict, if it comes to that. */
  private async followOnce(
    id: string, signal: AbortSignal | undefined, told: Told, onEvent: RunOptions['onEvent'],
  ): Promise<Execution | undefined> {
    const newsOf = told.stream();
    for await (const event of this.events(id, signal)) {
      const news = newsOf(event);
      if (news) onEvent?.(news);
      if (event.type === 'verdict') return event.data;
    }
    return undefined;
  }

  /** How it stands; nothing when the server does not answer, or not now. */
  private async lookUp(
    id: string, signal: AbortSignal | undefined,
  ): Promise<Execution | undefined> {
    try {
      return await this.execution(id, signal);
    } catch (error) {
      if (isNotNow(error)) return undefined;
      throw error;
    }
  }

  private async endQuietly(id: string): Promise<void> {
    // It may have ended in this moment, or the server may be gone: its limits end it anyway.
    const ended = this.cancel(id).catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise((done) => (timer = setTimeout(done, cancelDeadlineMs)));
    await Promise.race([ended, deadline]);
    clearTimeout(timer);
  }
}

export type { ExecutionEvent, components, operations, paths };

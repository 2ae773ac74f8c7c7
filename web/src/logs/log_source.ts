import { events_of, host_of, Problem, with_query, type LiveMessage } from '../api/client';
import type { ContainerLogEvent } from '../api/containers';
import type { LiveLink } from '../api/live.svelte';
import type { ProjectLogLine } from '../api/stores';
import type { LogLine } from './log_lines';

export interface LogOptions {
  /** How many lines of the past come first; `all` is all that is kept. */
  readonly tail: string;
  /** Of which output; empty for both. */
  readonly stream: string;
}

/** What was written at once. */
export interface Written {
  readonly stream: LogLine['stream'];
  readonly source?: string;
  readonly at?: string | undefined;
  readonly text?: string | undefined;
  readonly base64?: string | undefined;
}

export interface LogSink {
  /** From here on it comes from its beginning, after an interruption once more. */
  begin: () => void;
  write: (written: Written) => void;
  dropped: (lines: number) => void;
  interrupted: () => void;
  end: () => void;
  refused: (problem: Problem) => void;
}

/** Follows a log until the function that it gives is called. */
export type LogSource = (options: LogOptions, sink: LogSink) => () => void;

/** What `all` asks for. */
const tail_max = 10_000;
const pause_max_ms = 8_000;
const for_now = [0, 408, 429, 500, 502, 503, 504];

/** The log of one container, by the tab's own channel. */
export function live_log(link: LiveLink, host: string, id: string): LogSource {
  return ({ tail, stream }, sink) => {
    return link.follow(`logs:${host}/${id}`, { tail: lines_of(tail) }, {
      begin: sink.begin,
      interrupted: sink.interrupted,
      message: (message) => take_live(message, stream, host, sink),
    });
  };
}

function take_live(message: LiveMessage, stream: string, host: string, sink: LogSink): void {
  if (message.type === 'error') {
    sink.refused(new Problem(409, message.code, message.detail, message.remedy, host));
  }
  if (message.type === 'end') sink.end();
  if (message.type === 'dropped') sink.dropped(message.lines);
  if (message.type !== 'logs') return;
  for (const { at, ...line } of message.lines) {
    if (stream === '' || stream === line.stream) sink.write({ ...line, at: at ?? undefined });
  }
}

/** The log at a path of the API, such as the merged one of a project, by server-sent events. */
export function streamed_log(path: string): LogSource {
  return (options, sink) => {
    const stop = new AbortController();
    void follow(path, options, sink, stop.signal);
    return () => stop.abort();
  };
}

function lines_of(tail: string): number {
  return tail === 'all' ? tail_max : Number(tail);
}

async function follow(
  path: string,
  { tail, stream }: LogOptions,
  sink: LogSink,
  signal: AbortSignal,
): Promise<void> {
  const asked = with_query(path, { tail: lines_of(tail), follow: 'true' });
  for (let pause_ms = 500; !signal.aborted; pause_ms = Math.min(pause_ms * 2, pause_max_ms)) {
    try {
      const events = events_of('GET', asked, { signal });
      sink.begin();
      for await (const { name, data } of events) {
        if (signal.aborted) return;
        if (name === 'error') throw told_problem(data, host_of(path));
        if (stream === '' || name !== other_than(stream)) take_event(name, data, sink);
      }
      return sink.end();
    } catch (failure) {
      if (signal.aborted) return;
      const problem = Problem.from(failure);
      if (!for_now.includes(problem.status)) return sink.refused(problem);
    }
    sink.interrupted();
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
  }
}

function other_than(stream: string): string {
  return stream === 'stdout' ? 'stderr' : 'stdout';
}

function take_event(name: string, data: string, sink: LogSink): void {
  if (name === 'stdout' || name === 'stderr') {
    const { container, time, text } = JSON.parse(data) as ProjectLogLine;
    const line = text.endsWith('\n') ? text : `${text}\n`;
    sink.write({ stream: name, source: container.name, at: time, text: line });
  }
  if (name === 'dropped') sink.dropped((JSON.parse(data) as ContainerLogEvent).lines ?? 0);
}

function told_problem(data: string, host?: string): Problem {
  const { code = '', detail = '', remedy } = JSON.parse(data) as ContainerLogEvent;
  return new Problem(409, code, detail, remedy, host);
}

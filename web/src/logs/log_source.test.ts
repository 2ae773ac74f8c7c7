import { expect, test } from 'vitest';
import type { LiveMessage } from '../api/client';
import type { Follower, LiveLink } from '../api/live.svelte';
import { live_log, type LogSink, type Written } from './log_source';

/** A link that keeps who follows, and what was asked for. */
class FakeLink {
  asked: unknown[] = [];
  follower: Follower | undefined;

  follow(topic: string, options: object, follower: Follower): () => void {
    this.asked.push([topic, options]);
    this.follower = follower;
    return () => {};
  }

  say(message: object): void {
    this.follower?.message(message as LiveMessage);
  }
}

function followed(options: { tail: string; stream: string }) {
  const link = new FakeLink();
  const written: Written[] = [];
  const steps: string[] = [];
  const sink: LogSink = {
    begin: () => steps.push('begin'),
    write: (one) => written.push(one),
    dropped: (lines) => steps.push(`dropped ${lines}`),
    interrupted: () => steps.push('interrupted'),
    end: () => steps.push('end'),
    refused: ({ code }) => steps.push(code),
  };
  live_log(link as unknown as LiveLink, 'local', 'web')(options, sink);
  return { link, written, steps };
}

const lines = [
  { stream: 'stdout', at: '2026-11-22T10:00:00Z', text: 'a\n' },
  { stream: 'stderr', at: null, base64: '/w==' },
];

test('all of a log is as much as the channel gives', () => {
  expect(followed({ tail: 'all', stream: '' }).link.asked).toEqual([
    ['logs:local/web', { tail: 10_000 }],
  ]);
});

test('only the wanted output is written', () => {
  const { link, written } = followed({ tail: '5', stream: 'stderr' });
  link.say({ type: 'logs', lines });
  expect(written).toEqual([{ stream: 'stderr', at: undefined, base64: '/w==' }]);
});

test('what was lost, the end and a refusal are told', () => {
  const { link, steps } = followed({ tail: '5', stream: '' });
  link.say({ type: 'dropped', lines: 3, bytes: 9 });
  link.say({ type: 'end', reason: 'ended' });
  link.say({ type: 'error', code: 'no_such_container', detail: '' });
  expect(steps).toEqual(['dropped 3', 'end', 'no_such_container']);
});

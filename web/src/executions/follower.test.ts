import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Follower } from './follower.svelte';

const running = { id: '01j9', state: 'running' };
const ended = { id: '01j9', state: 'finished', verdict: 'ok', stdout: '', stderr: '' };

/** Answers to the requests for events, one after the other. */
let answers: (() => Response)[] = [];

function refusal(status: number): Response {
  return new Response(JSON.stringify({ code: 'no', detail: 'no' }), { status });
}

function verdict(): Response {
  return new Response(`event: verdict\ndata: ${JSON.stringify(ended)}\n\n`);
}

async function fetch_fake(path: string): Promise<Response> {
  if (path.endsWith('/events')) return answers.shift()!();
  return new Response(JSON.stringify(running));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', fetch_fake);
  vi.stubGlobal('requestAnimationFrame', () => 1);
  vi.stubGlobal('cancelAnimationFrame', () => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test.each([408, 429, 503])('a %i while following is asked again', async (status) => {
  answers = [() => refusal(status), verdict];
  const follower = new Follower();
  await follower.open('01j9');
  await vi.advanceTimersByTimeAsync(600);
  expect(answers).toEqual([]);
  expect(follower.state).toBe('finished');
  expect(follower.problem).toBeUndefined();
});

test('what is not there any more is not asked for again', async () => {
  answers = [() => refusal(404), verdict];
  const follower = new Follower();
  await follower.open('01j9');
  await vi.advanceTimersByTimeAsync(600);
  expect(answers.length).toBe(1);
  expect(follower.problem?.status).toBe(404);
});

// H. 200 queued runs, one in ten hostile: what the good ones notice. A figure, not a verdict.
import { request_of } from './programs.mjs';

const count = 200;
const clients = 4;
const hostile = [
  [{ program: 'fork_bomb', limits: { wall_time_ms: 700 } }, 'timed_out'],
  [{ program: 'touch_memory', args: ['256'], limits: { memory_bytes: 64 << 20,
    tmpfs_bytes: 16 << 20 } }, 'memory_exceeded'],
  [{ program: 'flood', args: ['both'], limits: { wall_time_ms: 700, output_bytes: 65_536,
    on_output_cap: 'end' } }, 'output_exceeded'],
  [{ program: 'spin', args: ['threads'], limits: { cpu_time_ms: 500 } }, 'cpu_exceeded'],
];

const at = (sorted, share) => (
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);

/** Runs `count` programs on `clients` connections; answers the good ones' milliseconds, sorted. */
async function round(suite, hostile_each) {
  const good = [];
  let wrong = 0;
  let next = 0;
  const client = async () => {
    while (next < count) {
      const index = next++;
      const bad = hostile_each > 0 && index % hostile_each === 0;
      const [entry, verdict] = bad ? hostile[(index / hostile_each) % hostile.length]
        : [{ script: `echo ${index}`, limits: {} }, 'ok'];
      const run = await suite.execute(suite.with_executor(request_of(entry, 'docker'), 'docker'));
      if (run.execution.verdict !== verdict) ++wrong;
      if (!bad && run.execution.stdout !== `${index}\n`) ++wrong;
      if (!bad) good.push(run.ms);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { good: good.sort((one, other) => one - other), wrong };
}

export async function fairness(suite) {
  const alone = await round(suite, 0);
  const mixed = await round(suite, 10);
  const ms = (sorted, share) => `${Math.round(at(sorted, share))} ms`;
  const figure = ({ good }) => `p50 ${ms(good, 0.5)}, p99 ${ms(good, 0.99)}`;
  return {
    alone: figure(alone), mixed: figure(mixed), wrong: alone.wrong + mixed.wrong,
    text: `fairness, ${count} runs on ${clients} connections: alone ${figure(alone)}; `
      + `one in ten hostile ${figure(mixed)}; wrong verdicts ${alone.wrong + mixed.wrong}`,
  };
}

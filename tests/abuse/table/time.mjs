// A. Processor time and wall time.
const short = true;

/** How far above `limit` it was measured; a case that runs away shows here. What is over in a run
 * is run again (Suite.run): a machine that stands still for a moment does not do so each time. */
export const overshoot = (field, limit, most) => ({ execution }) => {
  const over = Math.round(execution[field] - limit);
  if (over <= most) return null;
  return `${field} is ${over} ms above the limit, at most ${most} were expected`;
};

export default [
  { number: 1, name: 'endless loop', short, program: 'spin',
    limits: { cpu_time_ms: 500 }, control: { running: true },
    expect: { verdict: 'cpu_exceeded', kept: overshoot('cpu_time_ms', 500, 300) } },
  { number: 2, name: 'endless sleep', short, script: 'sleep 1000000',
    limits: { wall_time_ms: 500 }, control: { running: true },
    expect: { verdict: 'timed_out', kept: overshoot('wall_time_ms', 500, 300) } },
  { number: 3, name: 'eight threads that spin', program: 'spin', args: ['threads'],
    limits: { cpu_time_ms: 1000, cpus: 2 }, control: { running: true },
    expect: { verdict: 'cpu_exceeded', kept: overshoot('cpu_time_ms', 1000, 400) } },
  { number: 3, part: 'b', name: 'sixty processes on a tenth of a processor', program: 'spin_many',
    limits: { wall_time_ms: 1000, cpus: 0.1 }, control: { running: true },
    expect: { verdict: 'timed_out', kept: overshoot('wall_time_ms', 1000, 900) } },
  { number: 4, name: 'every signal ignored', short, program: 'ignore_signals',
    limits: { wall_time_ms: 2000 }, control: { running: true, shows: /ignored: OK/ },
    expect: { verdict: 'timed_out', stdout: /ignored: OK/ } },
  { number: 5, name: 'a child stops its parent', program: 'stop_parent',
    limits: { wall_time_ms: 500 }, control: { running: true }, expect: { verdict: 'timed_out' } },
  { number: 6, name: 'priorities: nice, real time, disk', program: 'priorities',
    control: { reaches: true }, expect: { verdict: 'ok', refuses: true } },
  { number: 7, name: 'children in sessions of their own spin', program: 'spin', args: ['sessions'],
    limits: { cpu_time_ms: 1000 }, control: { running: true },
    expect: { verdict: 'cpu_exceeded', kept: overshoot('cpu_time_ms', 1000, 400) } },
  { number: 8, name: 'behaves for 0.9 of its time, then forks', program: 'fork_bomb',
    args: ['900'], limits: { wall_time_ms: 1000 },
    control: { shows: /processes: 400 enough/, running: true, ms: 2500 },
    expect: { verdict: 'timed_out', kept: overshoot('wall_time_ms', 1000, 300) } },
  { number: 9, name: 'a compilation without an end', short,
    compile: 'while :; do :; done', compile_limits: { cpu_time_ms: 500 },
    control: { running: true }, expect: { verdict: 'cpu_exceeded', absent: /^ran$/m } },
  { number: 10, name: 'a compiler that floods', compile: 'yes error >&2',
    compile_limits: { wall_time_ms: 1000 }, limits: { output_bytes: 65_536 },
    control: { running: true },
    expect: { verdict: ['timed_out', 'cpu_exceeded', 'output_exceeded'], absent: /^ran$/m,
      check: ({ execution }) => (JSON.stringify(execution).length < 400_000 ? null
        : 'more than the cap was kept') } },
  { number: 11, name: 'a compiler that reads secrets', canary: true,
    compile: "cat /etc/shadow; tr '\\0' '\\n' </proc/1/environ; env",
    control: { shows: /canary/i }, expect: { verdict: ['ok', 'failed'] } },
];

// B. Processes.
const short = true;
const alive = (name) => `sleep 0.2; cat /proc/[0-9]*/comm 2>/dev/null | grep -c '^${name}$'`;

export default [
  { number: 13, name: 'fork bomb', short, program: 'fork_bomb',
    limits: { wall_time_ms: 2000, pids: 64 }, control: { shows: /processes: 400 enough/, ms: 1500 },
    expect: { verdict: 'timed_out', stdout: /processes: (5\d|6[0-3]) EAGAIN/ } },
  { number: 14, name: 'thread bomb', program: 'thread_bomb',
    limits: { wall_time_ms: 2000, pids: 64 }, control: { shows: /threads: 400 enough/, ms: 1500 },
    expect: { verdict: 'timed_out', stdout: /threads: (5\d|6[0-3]) EAGAIN/ } },
  { number: 15, name: 'daemons, twice forked, and a sibling by CLONE_PARENT', short,
    program: 'survivor', args: ['daemon'],
    control: { shows: /leaves\n[2-9]/, after: alive('program') },
    expect: { verdict: 'ok', stdout: /parent: leaves/ } },
  { number: 16, name: 'an orphan holds the output open', program: 'survivor', args: ['holder'],
    control: { running: true, shows: /leaves/, script: (command) => `${command} | cat` },
    expect: { verdict: 'ok', check: ({ execution }) => (
      execution.wall_time_ms < 1500 ? null : 'the verdict waited for the orphan') } },
  { number: 17, name: 'zombies that nobody reaps', program: 'fork_bomb', args: ['0', 'zombies'],
    control: { shows: /processes: 400 enough/ },
    expect: { verdict: 'ok', stdout: /processes: (5\d|6[0-3]) EAGAIN/ } },
  { number: 18, name: 'kills everybody', short, program: 'kill_all',
    control: { shows: /attacker: lives\nvictim: gone/,
      script: (command) => `trap '' INT; sleep 60 & victim=$!; ${command}; `
        + 'kill -0 $victim 2>/dev/null || echo "victim: gone"' },
    expect: { verdict: 'ok', stdout: /attacker: lives/ } },
  { number: 19, name: 'forks and exits, as fast as it can', program: 'fork_loop',
    limits: { cpu_time_ms: 700 }, control: { running: true, shows: /500 and more/ },
    expect: { verdict: 'cpu_exceeded' } },
  { number: 20, name: 'subreapers and no death signal', program: 'survivor', args: ['reaper'],
    control: { shows: /leaves\n[2-9]/, after: alive('program') },
    expect: { verdict: 'ok', stdout: /parent: leaves/ } },
  { number: 21, name: 'calls itself gantry-init', program: 'survivor', args: ['gantry-init'],
    control: { shows: /leaves\n[1-9]/, after: alive('gantry-init') },
    expect: { verdict: 'ok', stdout: /parent: leaves/ } },
  { number: 22, name: 'chooses the numbers of its processes', program: 'choose_pid',
    control: { reaches: true }, expect: { verdict: 'ok', refuses: true } },
];

// C. Memory.
import { readFileSync } from 'node:fs';

const short = true;
const mib = 1 << 20;
const small = { memory_bytes: 64 * mib, tmpfs_bytes: 16 * mib };
/** A program that says `… N MiB` had at most `most` of them. */
const kept_below = (most) => ({ output }) => {
  const had = Number(/: (\d+) MiB/.exec(output)?.[1] ?? 0);
  return had <= most ? null : `it had ${had} MiB of the kernel's memory, charged to nobody`;
};
/** The same of a program that says what it still had after a second. */
const held_below = (most) => ({ output, execution }) => {
  const said = /held: (\d+) MiB/.exec(output);
  if (!said && execution.verdict !== 'memory_exceeded') return 'it did not say what it held';
  const had = Number(said?.[1] ?? 0);
  return had <= most ? null : `it held ${had} MiB of the kernel's memory, charged to nobody`;
};
const counts = (output) => [...output.matchAll(/^(\w+): (\d+)/gm)].map(([, name, count]) => (
  [name, Number(count)]));

export default [
  { number: 23, name: 'memory bomb', short, program: 'touch_memory', args: ['256'], limits: small,
    control: { shows: /touched: 256 MiB all/ }, expect: { verdict: 'memory_exceeded' } },
  { number: 24, name: 'a child runs out of memory, its parent says 0', short,
    program: 'touch_memory', args: ['256', 'child'], limits: small,
    control: { shows: /touched: 256 MiB all/ }, expect: { verdict: 'memory_exceeded' } },
  { number: 25, name: '1 TiB of addresses', program: 'map_huge',
    control: { shows: /1 TiB: OK/ },
    expect: { verdict: 'ok', check: ({ execution }) => (
      execution.memory_peak_bytes < 24 * mib ? null : 'it was charged for') } },
  { number: 26, name: 'a stack without an end', program: 'recurse',
    control: { shows: /program ended: 139/, after: 'echo "program ended: $ended"' },
    expect: { verdict: 'signalled', check: ({ execution }) => (
      execution.signal === 11 ? null : `signal ${execution.signal}`) } },
  { number: 27, name: 'fills the work folder', short, program: 'fill_file', args: ['big', '64'],
    limits: { tmpfs_bytes: 16 * mib, file_bytes: 512 * mib },
    control: { shows: /written: 67108864 all/ },
    expect: { verdict: 'ok', stdout: /written: \d{1,8} (ENOSPC|EFBIG)/ } },
  { number: 28, name: 'fills files that are nowhere (memfd)', program: 'fill_memfd',
    limits: { ...small, file_bytes: 512 * mib }, control: { shows: /written: 256 MiB all/ },
    expect: { verdict: ['memory_exceeded', 'signalled', 'ok'], absent: /written: 256 MiB all/ } },
  { number: 27, part: 'b', name: 'fills a work folder that is larger than its memory',
    program: 'fill_file', args: ['big', '256'],
    limits: { memory_bytes: 48 * mib, tmpfs_bytes: 512 * mib, file_bytes: 512 * mib },
    control: { shows: /written: 268435456 all/ }, expect: { verdict: 'memory_exceeded' } },
  { number: 28, part: 'b', name: 'fills System V segments', program: 'fill_shm', args: ['256'],
    limits: small, control: { shows: /segments: 256 MiB all/ },
    expect: { verdict: 'memory_exceeded' } },
  { number: 29, name: 'System V objects and queues for the next one', program: 'ipc', times: 2,
    control: { reaches: true }, expect: { verdict: 'ok', refuses: ['EMFILE'] } },
  { number: 30, name: 'dirties the host\'s page cache', program: 'fill_file',
    args: ['/var/tmp/big', '256'], control: { shows: /written: 268435456 all/ },
    expect: { verdict: 'ok', stdout: /open: (EROFS|EACCES|ENOENT)/ } },
  { number: 31, name: 'pins memory', program: 'pin_memory',
    control: { reaches: true },
    expect: { verdict: 'ok', refuses: ['ENOMEM', 'EAGAIN', 'EINVAL'] } },
  { number: 32, name: 'sockets, pipes, event polls, directory entries', program: 'kernel_objects',
    limits: { wall_time_ms: 10_000 }, control: { shows: /sockets: 5000 enough/, ms: 8000 },
    expect: { verdict: ['ok', 'memory_exceeded'], check: ({ output }) => {
      const over = counts(output).filter(([name, count]) => (
        count > (name === 'entries' ? 16_384 : 1024)));
      return over.length === 0 ? null : `too many: ${over}`;
    } } },
  { number: 32, part: 'b', name: 'attributes of files', program: 'xattrs', args: ['256'],
    limits: small, control: { shows: /attributes: 256 MiB/ },
    expect: { verdict: ['ok', 'memory_exceeded'], check: kept_below(64) } },
  ...['tcp', 'udp', 'unix'].map((kind, index) => ({
    number: 32, part: 'cde'[index], name: `buffers of ${kind} connections to itself`,
    program: 'socket_buffers', args: [kind, '256'], limits: { ...small, wall_time_ms: 6000 },
    control: { shows: /held: (2[5-9]|[3-9]\d)\d MiB/ },
    // With version 1 of the control groups gantry-init looks them up every few milliseconds:
    // what is filled in less than that is filled. Held it is not.
    expect: { verdict: ['ok', 'memory_exceeded', 'timed_out'], check: held_below(64) } })),
  { number: 33, name: 'takes what the kernel counts per user', program: 'user_limits',
    together: [['hog'], ['want']], control: { shows: /inotify: EMFILE/ },
    expect: { verdict: 'ok', stdout: /inotify: OK/ } },
  { number: 34, name: 'swaps', program: 'touch_memory', args: ['96'], limits: small,
    control: { shows: /touched: 96 MiB all/, host: { Memory: 64 * mib, MemorySwap: -1 },
      absent: () => (readFileSync('/proc/swaps', 'utf8').trim().split('\n').length > 1 ? null
        : 'this host has no swap') },
    expect: { verdict: 'memory_exceeded' } },
  { number: 35, name: 'stalls the kernel (userfaultfd and others)', program: 'stall',
    control: { reaches: true }, expect: { verdict: 'ok', refuses: true } },
  { number: 36, name: 'lets others be killed first', program: 'oom_score',
    control: { reaches: true }, expect: { verdict: 'ok', refuses: true } },
];

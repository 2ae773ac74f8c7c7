// D. Disk and files.
import { statfsSync } from 'node:fs';

const short = true;
const mib = 1 << 20;
const made = ({ output }) => {
  const count = Number(/made: (\d+)/.exec(output)?.[1] ?? Infinity);
  return count <= 16_384 ? null : `${count} were made`;
};
/** What a collector that trusts what it finds would do, and by what that shows. */
const look_out = { link: 'cat /box/out/passwd', file: 'ls -d /box/out/ || echo none',
  deep: 'find /box/out 2>/dev/null | wc -l', many: 'ls /box/out | wc -l',
  shut: 'stat -c %a /box/out',
  sparse: "stat -c %s /box/out/s* | awk '{ sum += $1 } END { print sum }'" };
const shows_out = { link: /root:/, file: /none/, deep: /^[1-9]\d{3}$/m, many: /2000/, shut: /^0$/m,
  sparse: /1258291200/ };
const bounded = ({ artifacts }) => {
  const size = artifacts.reduce((sum, { content }) => sum + content.length, 0);
  if (artifacts.length > 64 || size > 16 * mib) return `${artifacts.length} files, ${size} bytes`;
  return artifacts.some(({ content }) => content.includes('root:')) ? 'a secret came out' : null;
};
/** Nothing of a name reaches a header or the JSON as a control character. */
const harmless_names = ({ artifacts, raw }) => {
  if (raw.includes(0x1b) || raw.includes('\nline')) return 'a control character is in the JSON';
  const wrong = artifacts.filter(({ headers }) => headers['x-injected'] !== undefined);
  return wrong.length === 0 && artifacts.length > 5 ? null
    : `${wrong.length} headers injected, ${artifacts.length} files`;
};
const free = () => statfsSync('/').bavail * statfsSync('/').bsize;

export default [
  { number: 37, name: 'fills /tmp', program: 'fill_file', args: ['/tmp/big', '256'],
    limits: { tmpfs_bytes: 16 * mib, file_bytes: 512 * mib }, measure: free,
    control: { shows: /written: 268435456 all/ },
    expect: { verdict: 'ok', stdout: /written: \d{1,8} (ENOSPC|EFBIG)/,
      check: ({ before, after }) => (before - after < 200 * mib ? null
        : `the host lost ${before - after} bytes`) } },
  { number: 38, name: 'inode bomb', short, program: 'inodes', args: ['files'],
    control: { shows: /made: 20000 enough/, ms: 15_000 }, expect: { verdict: 'ok', check: made } },
  { number: 39, name: '1 TiB that has nothing in it', program: 'sparse',
    control: { reaches: true }, expect: { verdict: 'ok', refuses: ['EFBIG', 'ENOSPC'] } },
  { number: 40, name: 'a folder in a folder, 20,000 times', program: 'inodes', args: ['deep'],
    // In a tmpfs: an engine can not remove a container whose own layer holds this any more.
    control: { shows: /made: 20000 enough/, ms: 8000,
      script: (command) => `cd /dev/shm && ${command}` },
    expect: { verdict: 'ok', check: made } },
  { number: 41, name: 'an image\'s VOLUME, variables, health check and WORKDIR',
    program: 'fill_file', args: ['/data/big', '30'], hostile_image: 'volume',
    control: { shows: /written: 31457280 all/ },
    expect: { verdict: 'ok', stdout: /open: (EROFS|EACCES|ENOENT)/, absent: /evil/ } },
  { number: 42, name: 'writes everywhere', short, program: 'write_anywhere.sh',
    control: { reaches: true }, expect: { verdict: 'ok', refuses: ['refused'] } },
  { number: 43, name: 'looks for what the last one left', short, program: 'persistence.sh',
    times: 2, control: { shows: /marker of another: OK/ },
    expect: { verdict: 'ok', stdout: /marker of another: no/ } },
  { number: 43, part: 'b', name: 'looks for what waiting interpreters have', language: 'python',
    program: 'warm_traces.py', image: 'python', times: 3,
    control: { shows: /marker in a file: OK/ }, expect: { verdict: 'ok', refuses: true } },
  { number: 44, name: 'artifacts that are links, pipes, devices', program: 'artifacts.sh',
    artifacts: true, control: { shows: /root:/, after: 'cat /box/out/link' },
    expect: { verdict: 'ok', check: ({ artifacts }) => {
      const expected = ['fine.txt', 'folder/inside.txt', 'hard'];
      const names = artifacts.map(({ path }) => path).sort();
      const others = names.filter((name) => !expected.includes(name));
      const secret = artifacts.some(({ content }) => content.includes('root:'));
      if (secret) return `a secret came out: ${names}`;
      if (!names.includes('fine.txt')) return 'the plain file did not come out';
      return others.length === 0 ? null : `came out as well: ${others}`;
    } } },
  ...['link', 'file', 'deep', 'many', 'sparse', 'shut'].map((mode, index) => ({
    number: 44, part: 'bcdefg'[index], name: `an out folder that is hostile: ${mode}`,
    program: 'hostile_out', args: [mode], artifacts: true,
    control: { shows: shows_out[mode], after: look_out[mode] },
    expect: { verdict: 'ok', check: bounded } })),
  { number: 46, part: 'b', name: 'names of artifacts', program: 'hostile_out', args: ['names'],
    artifacts: true, control: { shows: /new\nline/, after: 'find /box/out' },
    expect: { verdict: 'ok', check: (run) => bounded(run) ?? harmless_names(run) } },
  { number: 45, name: 'swaps a file for a link, 100,000 times', program: 'swap_race',
    args: ['100000'], artifacts: true,
    control: { shows: /root:/, ms: 8000, script: (command) => (
      `${command} & for i in $(seq 200); do cat /box/out/x /box/out/y 2>/dev/null; done`) },
    expect: { verdict: 'ok', check: ({ artifacts }) => (
      artifacts.some(({ content }) => content.includes('root:')) ? 'a secret came out' : null) } },
  { number: 48, name: 'a setuid program of root', short, program: 'setuid',
    hostile_image: 'volume', control: { reaches: true },
    expect: { verdict: 'ok', refuses: true } },
  { number: 49, name: 'starts programs from /tmp and /dev/shm', program: 'exec_tmp.sh',
    control: { reaches: true },
    // Compiled languages need /box.
    expect: { verdict: 'ok', refuses: ['refused'], allows: ['/box'] } },
  { number: 50, name: 'devices, mounts, another root', short, program: 'mounts',
    control: { reaches: true }, expect: { verdict: 'ok', refuses: true } },
];

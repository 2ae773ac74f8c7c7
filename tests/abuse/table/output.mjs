// E. Output and input.
const short = true;
const cap = 65_536;
const ends = { output_bytes: cap, on_output_cap: 'end', wall_time_ms: 5000 };
const exactly = (stream) => ({ execution }) => {
  const size = Buffer.byteLength(execution[stream]);
  return size === cap ? null : `${stream} has ${size} bytes`;
};
const modest = ({ rss_growth_kib }) => (
  rss_growth_kib < 32 * 1024 ? null : `the server grew by ${rss_growth_kib} KiB`);
const bytes_of = (execution, stream) => (
  Buffer.from(execution[stream], execution.encoding === 'base64' ? 'base64' : 'utf8'));

export default [
  { number: 51, name: 'floods standard output', short, program: 'flood', args: ['out'],
    limits: ends, control: { floods: 2 << 20 },
    expect: { verdict: 'output_exceeded', check: (run) => exactly('stdout')(run) ?? modest(run) } },
  { number: 52, name: 'floods standard error', program: 'flood', args: ['err'],
    limits: ends, control: { floods: 2 << 20 },
    expect: { verdict: 'output_exceeded', check: (run) => exactly('stderr')(run) ?? modest(run) } },
  { number: 52, part: 'b', name: 'floods both, the rest is dropped', program: 'flood',
    args: ['both'], limits: { ...ends, on_output_cap: 'truncate', wall_time_ms: 1000 },
    control: { floods: 2 << 20 },
    expect: { verdict: ['timed_out', 'cpu_exceeded'],
      check: (run) => exactly('stdout')(run) ?? exactly('stderr')(run) ?? modest(run) } },
  { number: 52, part: 'c', name: 'writes single bytes', program: 'flood', args: ['bytes'],
    control: { floods: 50_000 },
    expect: { verdict: 'ok', check: ({ execution }) => (
      execution.stdout.length === 25_000 && execution.stderr.length === 25_000 ? null
        : `${execution.stdout.length} and ${execution.stderr.length} bytes`) } },
  { number: 53, name: 'one line without an end', program: 'flood', args: ['line'],
    limits: ends, control: { floods: 2 << 20 },
    expect: { verdict: 'output_exceeded', check: (run) => exactly('stdout')(run) ?? modest(run) } },
  { number: 54, name: 'bytes that are no text', short, program: 'odd_bytes.py', image: 'python',
    control: { shows: /\xef\xbf\xbd/ },  // what the engine's log makes of them
    expect: { verdict: 'ok', check: ({ execution }) => {
      const wanted = Buffer.from([...Array(256).keys(), 0xed, 0xa0, 0x80, 0xff, 0xfe, 0]);
      return bytes_of(execution, 'stdout').equals(wanted) ? null : 'the bytes changed';
    } } },
  { number: 55, name: 'what a terminal obeys', program: 'escapes.py', image: 'python',
    control: { shows: /\x1b\]52;c;/ },
    expect: { verdict: 'ok', check: ({ execution, raw }) => {
      if (raw.includes(0x1b)) return 'an escape character is in the JSON as it is';
      return bytes_of(execution, 'stdout').includes('\x1b]52;c;YWJ1c2U=\x07') ? null
        : 'the bytes changed';
    } } },
  { number: 56, name: 'speaks our own protocols', short, program: 'forge',
    control: { reaches: true },
    expect: { verdict: 'failed', refuses: true, check: ({ execution }) => (
      execution.exit_code === 3 ? null : `exit code ${execution.exit_code}`) } },
  { number: 57, name: 'looks for secrets', program: 'canary.sh', canary: true,
    control: { shows: /canary/i }, expect: { verdict: 'ok' } },
];

// Cases that are requests, images or networks, not one program: 12, 46, 47, 58, 59, 68, 71, 72.
import net from 'node:net';
import { control, engine, import_image, pause, remove, remove_image }
  from '../engine.mjs';
import { judge_control, judge_run } from '../judge.mjs';
import { program_of, quoted, request_of } from '../programs.mjs';

const hello = { image: 'gantry/sh:latest', command: ['echo', 'hello'] };
const shown = (is, why) => ({ shown: is, why, missing: [] });

/** Posts an execution as text; a problem when the answer is none of `expected`. */
async function refused(suite, text, expected, what) {
  const { status, raw } = await suite.request('POST', '/api/v1/executions?wait=true', text);
  if (expected.includes(status)) return [];
  return [`${what}: HTTP ${status} ${raw.toString().slice(0, 80)}`];
}

/** 12: numbers that are none. */
async function odd_limits(suite) {
  const fields = ['wall_time_ms', 'cpu_time_ms', 'memory_bytes', 'pids', 'output_bytes',
    'file_bytes', 'tmpfs_bytes', 'cpus'];
  const values = ['0', '-1', '1e18', 'NaN', 'Infinity', '"5"', '[]', '{}', 'true',
    '18446744073709551617', '-0.0', '1e-320'];
  const problems = [];
  let sent = 0;
  for (const field of fields) {
    for (const value of field === 'cpus' ? values : [...values, '5.5']) {
      const text = `${JSON.stringify(hello).slice(0, -1)},"limits":{"${field}":${value}}}`;
      problems.push(...await refused(suite, text, [400], `${field} ${value}`));
      ++sent;
    }
  }
  const made = await engine('POST', '/containers/create',
    { Image: hello.image, Cmd: ['true'], HostConfig: { Memory: 0, PidsLimit: -1 } });
  if (made.status === 201) await remove(made.json().Id);
  return { problems, verdict: 'HTTP 400', notes: [`${sent} requests`],
    control: shown(made.status === 201, 'the engine takes no limit 0 either') };
}

/** 46, 47: names and amounts of files. */
async function odd_names(suite) {
  const bad = ['../x', '/etc/passwd', 'a//b', './a', 'a/../b', 'a\0b', '', '.', '..', 'x/',
    'n'.repeat(256), `${'d/'.repeat(300)}x`];
  const good = ['new\nline', '-rf', 'CON', '\u202eevil', '\u001b[31m', 'n'.repeat(255), 'a b', '*',
    '$(id)', "'", '"', '\\', '\u{1f600}'];
  const problems = [];
  const request = (path) => JSON.stringify({ ...hello, files: [{ path, content: 'x' }] });
  for (const path of bad) {
    problems.push(...await refused(suite, request(path), [400], JSON.stringify(path)));
  }
  for (const path of good) {
    const listing = { image: hello.image, command: ['cat', `/box/${path}`],
      files: [{ path, content: 'mine' }] };
    const { status, execution } = await suite.execute(listing);
    const said = status === 200 ? execution.stdout : `HTTP ${status}`;
    // A name with control characters may be refused; it may not become another name.
    if (said !== 'mine' && status !== 400) problems.push(`${JSON.stringify(path)}: ${said}`);
  }
  const naive = await control(hello.image, 'echo x >"/box/../escaped"; ls /escaped', []);
  return { problems, verdict: 'HTTP 400', control: shown(naive.output.includes('/escaped'), 'none'),
    notes: [`${bad.length} names refused, ${good.length} kept as they are`] };
}

/** A body of `size` bytes that never ends in time is refused by its announced length. */
function announced(suite, size) {
  return new Promise((done) => {
    const socket = net.connect(suite.server.port, '127.0.0.1', () => socket.write(
      'POST /api/v1/executions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
      + `Authorization: Bearer ${suite.server.token}\r\nContent-Length: ${size}\r\n\r\n{`));
    let said = '';
    socket.on('data', (piece) => {
      said += piece;
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => done(Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0)));
    socket.setTimeout(15_000, () => socket.destroy());
  });
}

async function odd_uploads(suite) {
  const files = (count, path) => JSON.stringify({ ...hello,
    files: Array.from({ length: count }, (_, i) => ({ path: path(i), content: 'x' })) });
  const big = JSON.stringify({ ...hello, files: [{ path: 'big', content: 'x'.repeat(12 << 20) }] });
  const problems = [
    ...await refused(suite, files(10_000, (i) => `f${i}`), [400, 413], '10,000 files'),
    ...await refused(suite, files(2, () => 'same'), [400], 'two files of one name'),
    ...await refused(suite, JSON.stringify({ ...hello, files: [{ path: 'a', content: '' },
      { path: 'a/b', content: '' }] }), [400, 200], 'a file that is a folder'),
    ...await refused(suite, big, [400, 413], '12 MiB'),
  ];
  const status = await announced(suite, 2 ** 30);
  if (![400, 413].includes(status)) problems.push(`1 GiB announced: HTTP ${status}`);
  const naive = await control(hello.image,
    'i=0; while [ $i -lt 10000 ]; do : >$i; i=$((i+1)); done; ls | wc -l', [],
    { ms: 20_000 });
  return { problems, verdict: 'HTTP 400, 413', notes: [],
    control: shown(/10000/.test(naive.output), naive.output.slice(0, 80)) };
}

/** 58: nobody reads what a flood says. */
async function reader_that_does_not_read(suite, executor) {
  const entry = { program: 'flood', args: ['both'],
    limits: { wall_time_ms: 2000, output_bytes: 16 << 20, on_output_cap: 'truncate' } };
  const naive = await control(hello.image, `${quoted(program_of(entry).command)} | sleep 60`,
    program_of(entry).files, { ms: 1500 });
  const rss = suite.server.usage().rss_kib;
  const request = suite.with_executor(request_of(entry, executor), executor);
  const { status, raw } = await suite.request('POST', '/api/v1/executions',
    JSON.stringify(request));
  if (status !== 202) return { problems: [`HTTP ${status} ${raw}`], control: shown(true, '') };
  const { id } = JSON.parse(raw.toString());
  const sockets = Array.from({ length: 8 }, () => {
    const socket = net.connect(suite.server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET /api/v1/executions/${id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n`
      + `Authorization: Bearer ${suite.server.token}\r\n\r\n`);
    return socket.pause();
  });
  let execution = { state: 'queued' };
  const began = performance.now();
  while (execution.state !== 'finished' && performance.now() - began < 20_000) {
    await pause(100);
    execution = JSON.parse((await suite.request('GET', `/api/v1/executions/${id}`)).raw.toString());
  }
  const ms = performance.now() - began;
  const growth = suite.server.usage().rss_kib - rss;
  for (const socket of sockets) socket.destroy();
  const problems = [];
  if (!['timed_out', 'output_exceeded', 'cpu_exceeded'].includes(execution.verdict)) {
    problems.push(`verdict ${execution.verdict ?? 'none'}`);
  }
  if (growth > 400 * 1024) problems.push(`the server grew by ${growth} KiB`);
  return { problems, verdict: execution.verdict, ms, wall_ms: execution.wall_time_ms,
    control: shown(naive.running, 'it ended'),
    notes: [`server +${Math.round(growth / 1024)} MiB`] };
}

/** 59: 10 MiB that nobody takes. */
async function input_that_nobody_takes(suite, executor) {
  const stdin = 'x'.repeat((10 << 20) - 1);
  const naive = await control(hello.image,
    '(head -c 10000000 /dev/zero && echo fed >&2) | sleep 3', [], { ms: 1500 });
  const problems = [];
  let last = null;
  for (const [script, wanted] of [['exec sleep 0.2', 'ok'], ['exec <&-; echo closed', 'ok'],
    ['head -c 1 >/dev/null', 'ok'], ['wc -c', 'ok'], ['sleep 60', 'timed_out']]) {
    const entry = { script, stdin, limits: { wall_time_ms: 3000 } };
    last = await suite.execute(suite.with_executor(request_of(entry, executor), executor));
    if (last.execution.verdict !== wanted) {
      problems.push(`${script}: ${last.execution.verdict ?? last.status}`);
    }
    if (script === 'wc -c' && Number(last.execution.stdout) !== stdin.length) {
      problems.push(`of ${stdin.length} bytes ${last.execution.stdout} arrived`);
    }
  }
  return { problems, verdict: last.execution.verdict, ms: last.ms, notes: [],
    control: shown(naive.running && !naive.output.includes('fed'), 'the feeder did not block') };
}

/** 68: images whose folders are symbolic links to somewhere else. */
async function linked_images(suite, executor) {
  const shell = program_of({ program: 'open_paths', args: [] }).files[0];
  const places = ['dev', 'proc', 'sys', 'tmp', 'box', 'dev/shm', 'etc', '.gantry'];
  const problems = [];
  const notes = [];
  const refused_by_control = [];
  for (const place of places) {
    const name = `gantry-abuse/link-${place.replaceAll(/\W/g, '')}:latest`;
    const parents = place.includes('/') ? [{ path: 'dev', folder: true }] : [];
    await import_image(name, [...parents, { path: place, link: '/proc/self/root/proc/1/root' },
      { path: 'program', content: shell.content }], ['CMD ["/program"]']);
    suite.images.add(name);
    const made = await engine('POST', '/containers/create', { Image: name,
      Cmd: ['/program', 'read', '/'], Tmpfs: {}, HostConfig: { Tmpfs: { [`/${place}`]: '' } },
      Labels: { 'io.gantry.test': 'abuse' } });
    const started = await engine('POST', `/containers/${made.json().Id}/start`);
    if (started.status !== 204) refused_by_control.push(place);
    await remove(made.json().Id);
    const request = { image: name, command: ['/program', 'write', '/', '/etc/abuse', '/proc/1/mem'],
      limits: { wall_time_ms: 3000 } };
    const { status, execution } = await suite.execute(suite.with_executor(request, executor));
    notes.push(`${place}: ${execution.verdict ?? status}`);
    if (/: OK/.test(execution.stdout ?? '')) problems.push(`${place}: ${execution.stdout}`);
    if (status !== 200 && status !== 400) problems.push(`${place}: HTTP ${status}`);
    await remove_image(name);
  }
  return { problems, notes, verdict: 'see notes',
    control: shown(refused_by_control.length < places.length, 'the runtime refuses them all') };
}

async function gateway() {
  const bridge = (await engine('GET', '/networks/bridge')).json();
  return bridge.IPAM.Config[0]?.Gateway ?? '172.17.0.1';
}

/** A listener on this address, closed by `use`'s end; null where there is no such address. */
async function listening(address, use) {
  const server = net.createServer((socket) => socket.destroy());
  server.on('error', () => {});
  const port = await new Promise((done) => {
    server.once('error', () => done(null));
    server.listen(0, address, () => done(server.address().port));
  });
  try {
    return await use(port);
  } finally {
    if (port !== null) await new Promise((done) => server.close(done));
  }
}

const routes_refused = ['ENETUNREACH', 'EHOSTUNREACH', 'ECONNREFUSED', 'ETIMEDOUT',
  'EADDRNOTAVAIL', 'ENETDOWN'];

async function connections(suite, executor, network, host) {
  const bridge = await gateway();
  return listening(bridge, async (port) => {
    const targets = ['control plane', '127.0.0.1', suite.server.port, 'control plane v6', '::1',
      suite.server.port, 'gateway', bridge, port ?? 9, 'metadata', '169.254.169.254', 80,
      'private', '10.0.0.1', 80, 'private 2', '192.168.1.1', 80, 'shared', '100.100.100.200', 80,
      'metadata v6', 'fd00:ec2::254', 80, 'resolver', '127.0.0.53', 53].map(String);
    const entry = { program: 'connect', args: targets, control: { reaches: true },
      expect: { verdict: 'ok', refuses: routes_refused }, limits: {} };
    const naive = judge_control(entry, await control(hello.image,
      quoted(program_of(entry).command), program_of(entry).files, { ms: 6000, host }));
    const request = request_of(entry, executor);
    request.limits.network = network;
    return { entry, naive, run: await suite.execute(suite.with_executor(request, executor)) };
  });
}

/** 71: no network. */
async function no_network(suite, executor) {
  const { entry, naive, run } = await connections(suite, executor, 'none', { NetworkMode: 'host' });
  return { control: naive, verdict: run.execution.verdict, ms: run.ms, notes: [],
    problems: judge_run(entry, { ...run, output: run.execution.stdout ?? '' }) };
}

/** 72: a network that reaches the outside and nothing of ours; or a refusal that says why. */
async function outbound(suite, executor) {
  const { entry, naive, run } = await connections(suite, executor, 'outbound',
    { NetworkMode: 'bridge' });
  if (run.status === 400 || run.execution.verdict === 'infrastructure_error') {
    const why = run.execution.message ?? run.execution.detail ?? run.raw.toString().slice(0, 200);
    return { control: naive, verdict: `refused (${run.status})`, ms: run.ms, notes: [why],
      problems: [] };
  }
  entry.expect.allows = ['route to 8.8.8.8'];
  // Silence is not enough: what is closed says so at once. Refused is the program's own loopback.
  entry.expect.refuses = routes_refused.filter((word) => word !== 'ETIMEDOUT');
  return { control: naive, verdict: run.execution.verdict, ms: run.ms, notes: [],
    problems: judge_run(entry, { ...run, output: run.execution.stdout ?? '' }) };
}

export default [
  { number: 12, name: 'limits that are none', short: true, run: odd_limits },
  { number: 46, name: 'names of files', run: odd_names },
  { number: 47, name: '10,000 files, 1 GiB, one name twice', short: true, run: odd_uploads },
  { number: 58, name: 'a reader that does not read', run: reader_that_does_not_read },
  { number: 59, name: '10 MiB of input that nobody takes', run: input_that_nobody_takes },
  { number: 68, name: 'an image whose folders are links', containers_only: true,
    run: linked_images },
  { number: 71, name: 'connects to everybody', short: true, run: no_network },
  { number: 72, name: 'outbound: the host, private ranges, metadata', run: outbound },
];

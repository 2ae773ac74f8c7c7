// What a control and a sandbox said, and whether that is as expected.
const refusals = new Set(['EPERM', 'EACCES', 'ENOSYS', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENXIO',
  'ENODEV', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'refused', 'no', 'empty']);
const call_refusals = new Set(['EPERM', 'ENOSYS']);

/** The lines `name: word` of a program, without those that are facts. */
export function probes(output) {
  const found = new Map();
  const line = /^(?!fact |event: |data: )(.+): (\S+)(?: \d+)?$/gm;
  for (const [, name, word] of output.matchAll(line)) {
    found.set(name, word);
  }
  return found;
}

function refused_words(kind) {
  const base = kind === 'calls' ? call_refusals : refusals;
  return new Set([...base, ...(Array.isArray(kind) ? kind : [])]);
}

/** The names a control got through with, and those it did not. */
function reached(entry, output) {
  const words = refused_words(entry.expect.refuses);
  const all = [...probes(output)];
  const through = all.filter(([, word]) => !words.has(word)).map(([name]) => name);
  const missing = all.filter(([name]) => !through.includes(name))
    .map(([name, word]) => `${name} (${word})`);
  return { through, missing };
}

/** Whether the attack shows in its control: {shown, why, missing}. */
export function judge_control(entry, { output, running }) {
  const wants = entry.control;
  const problems = [];
  let missing = [];
  if (wants.running && !running) problems.push('it ended by itself');
  if (wants.shows && !wants.shows.test(output)) problems.push(`it said '${output.slice(0, 80)}'`);
  if (wants.floods && output.length < wants.floods) problems.push(`${output.length} bytes only`);
  if (wants.reaches) {
    const found = reached(entry, output);
    missing = found.missing;
    if (found.through.length === 0) problems.push('nothing is reached even there');
  }
  const absent = wants.absent?.();
  if (absent) problems.unshift(absent);
  return { shown: problems.length === 0, why: problems.join('; ').replaceAll('\n', ' '), missing };
}

/** What is not as expected of one run in a sandbox: sentences. */
export function judge_run(entry, run) {
  const wants = entry.expect;
  const { execution, output } = run;
  const problems = [];
  const verdicts = [wants.verdict].flat();
  if (!verdicts.includes(execution.verdict)) {
    problems.push(`verdict ${execution.verdict} (${execution.message ?? 'no message'}), `
      + `expected ${verdicts.join(' or ')}`);
  }
  if (wants.refuses) {
    const words = refused_words(wants.refuses);
    const found = probes(output);
    if (found.size === 0) problems.push('the program said nothing');
    for (const [name, word] of found) {
      if (!words.has(word) && !wants.allows?.includes(name)) problems.push(`${name}: ${word}`);
    }
  }
  if (wants.stdout && !wants.stdout.test(output)) {
    problems.push(`it said '${output.slice(0, 120).replaceAll('\n', ' ')}'`);
  }
  if (wants.absent?.test(output)) problems.push(`the output has ${wants.absent}`);
  if (entry.canary && secrets_in(execution, run.canary)) problems.push('a secret came out');
  const found = wants.check?.(run);
  if (found) problems.push(found);
  return problems;
}

/** Whether a canary is in the outputs, as it is, backwards or in base64 at any offset. */
export function secrets_in(execution, canary) {
  const forms = [canary, [...canary].reverse().join('')];
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.from('x'.repeat(offset) + canary).toString('base64');
    forms.push(encoded.slice(4, -4));
  }
  const text = execution.encoding === 'base64'
    ? Buffer.from(execution.stdout, 'base64').toString('latin1') : execution.stdout;
  return forms.some((form) => text.replaceAll('\n', '').includes(form));
}

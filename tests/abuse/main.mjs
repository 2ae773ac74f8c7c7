// The suite: every case in its control, then in the sandbox of each executor; tests/abuse/run.
import { parseArgs } from 'node:util';
import { Suite } from './suite.mjs';
import { write_report, lines_of, summary_of } from './report.mjs';
import { fairness } from './fairness.mjs';
import time from './table/time.mjs';
import processes from './table/processes.mjs';
import memory from './table/memory.mjs';
import files from './table/files.mjs';
import output from './table/output.mjs';
import kernel from './table/kernel.mjs';
import special from './table/special.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean' }, report: { type: 'boolean' },
    fairness: { type: 'boolean' }, executor: { type: 'string' } },
});
const all = [...time, ...processes, ...memory, ...files, ...output, ...kernel, ...special]
  .sort((one, other) => (
    one.number - other.number || (one.part ?? '').localeCompare(other.part ?? '')));
const wanted = all.filter(({ number, short }) => (
  positionals.length > 0 ? positionals.includes(String(number)) : !values.short || short));

/** A suite that skips what it is for would pass for nothing. */
const must_be_there = (executor) => (
  executor === values.executor || (Boolean(process.env.CI) && executor !== 'runsc'));

const suite = new Suite();
const began = performance.now();
await suite.start();
const results = [];
let fair = null;
try {
  const executors = values.executor ? [values.executor] : ['docker', 'local', 'runsc'];
  for (const executor of executors) {
    const absent = await suite.absence_of(executor);
    if (absent) {
      console.log(`${executor}: skipped: ${absent}`);
      results.push({ executor, skipped: absent });
      if (must_be_there(executor)) process.exitCode = 1;
      continue;
    }
    for (const entry of wanted) {
      const result = await suite.run(entry, executor);
      results.push(result);
      console.log(lines_of(result));
    }
  }
  if (values.fairness || values.report) fair = await fairness(suite);
} finally {
  await suite.stop();
}
if (suite.left_at_end > 0) process.exitCode = 1;
const { text, surprises } = summary_of(results);
const seconds = Math.round((performance.now() - began) / 1000);
console.log(`${text}; ${suite.left_at_end} containers left at the end; ${seconds} s`);
if (fair) console.log(fair.text);
if (values.report) {
  await write_report({ results, fair, left_at_end: suite.left_at_end });
}
if (surprises > 0) process.exitCode = 1;

// What is printed, and docs/security/abuse-report.md.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engine } from './engine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const target = join(root, 'docs', 'security', 'abuse-report.md');

const number_of = ({ number, part }) => `${number}${part ?? ''}`;
const rounded = (value) => (value === undefined || value === null ? '' : String(Math.round(value)));
const left_of = (left) => (
  Object.entries(left).map(([what, count]) => `${count} ${what}`).join(', '));

function control_of({ control }) {
  if (!control) return '';
  return control.shown ? 'shown' : 'not shown';
}

function notes_of({ control, problems = [], notes = [], why }) {
  const all = [...problems, ...(why ? [why] : [])];
  if (control && !control.shown) all.push(`not shown: ${control.why}`);
  if (control?.missing?.length > 0) {
    all.push(`not reached in the control: ${control.missing.join(', ')}`);
  }
  return [...all, ...notes].join('; ').replaceAll('\n', ' ');
}

/** One line for the terminal. */
export function lines_of(result) {
  const { entry, executor, state, verdict = '', ms, left } = result;
  const head = [executor.padEnd(6), number_of(entry).padStart(3), state.padEnd(14),
    verdict.padEnd(20), `${rounded(ms)} ms`.padStart(9), `left: ${left_of(left) || 0}`.padEnd(9),
    entry.name];
  const notes = notes_of(result);
  return head.join('  ') + (notes ? `\n${' '.repeat(13)}${notes.slice(0, 600)}` : '');
}

export function summary_of(results) {
  const states = {};
  for (const { state } of results) {
    if (state) states[state] = (states[state] ?? 0) + 1;
  }
  const surprises = states.SURPRISE ?? 0;
  const text = Object.entries(states).map(([state, count]) => `${count} ${state}`).join(', ');
  return { surprises, text: `${text}${surprises > 0 ? '' : ', 0 surprises'}` };
}

function cgroup_version() {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return '2';
  return existsSync('/sys/fs/cgroup/unified') ? '1 (hybrid)' : '1';
}

async function facts() {
  const { Components, Version } = (await engine('GET', '/version')).json();
  const info = (await engine('GET', '/info')).json();
  const runtime = Components.find(({ Name }) => Name === 'runc')?.Version ?? 'unknown';
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8' }).trim();
  return [
    ['Date', new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC'],
    ['Gantry', `${commit} and what was being worked on`],
    ['Engine', `${Version}, runc ${runtime}, ${info.Driver}, cgroup v${info.CgroupVersion}`],
    ['Security options', info.SecurityOptions.join(', ')],
    ['Kernel', readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()],
    ['Control groups of the host', `version ${cgroup_version()}`],
    ['Processors', `${info.NCPU}`],
  ];
}

const cell_of = (value) => String(value).replaceAll('|', '\\|');
const row = (cells) => `| ${cells.map(cell_of).join(' | ')} |`;

function table(results) {
  const lines = [row(['case', 'what it does', 'control', 'result', 'verdict', 'ms', 'peak MiB',
    'left', 'notes']), row(Array(9).fill('---'))];
  for (const result of results) {
    const { entry, state, verdict, ms, peak, left, warm } = result;
    lines.push(row([number_of(entry), entry.name, control_of(result), state,
      (verdict ?? '') + (warm ? ' (warm)' : ''),
      rounded(ms), peak ? (peak / (1 << 20)).toFixed(1) : '', left_of(left) || 0,
      notes_of(result)]));
  }
  return lines;
}

const introduction = `# Abuse report

Written by \`tests/abuse/run --report\`; do not edit. Every case is a program or a request that
wants to break out, stay, starve others or mislead the server. It first runs in a **control**: a
container of the same image as root with every capability the engine has, without seccomp, masked
paths and a read-only root.

- **passed**: the attack shows in its control and not in the sandbox, the verdict is the expected
  one, and nothing is left behind.
- **not shown here**: the sandbox did as expected, but this machine's kernel or engine does not have
  what the attack needs: it proves nothing. It is not counted as a pass.
- **not yet**: the case can not be run with this server or executor.
- **figure**: what is told about the host or about others and is not claimed to be closed.
- **OPEN**: the attack works, and we know it: the note says why and where it does not.
- **SURPRISE**: anything else.

*ms* is from the request to its answer. *left* counts containers, processes, control groups,
volumes, networks and files of the server that are still there 30 s after the end. A case whose
number has a letter is a part of the case of that number.
`;

export async function write_report({ results, fair, left_at_end }) {
  const lines = [introduction];
  for (const [name, value] of await facts()) lines.push(`- ${name}: ${value}`);
  const { text } = summary_of(results);
  lines.push('', `**${text}.** Containers left when the server had ended: ${left_at_end}.`);
  for (const executor of [...new Set(results.map((result) => result.executor))]) {
    const mine = results.filter((result) => result.executor === executor);
    lines.push('', `## Executor: ${executor}`, '');
    const [{ skipped }] = mine;
    lines.push(...(skipped ? [`Skipped: ${skipped}`] : table(mine)));
  }
  if (fair) {
    lines.push('', '## Fairness', '', '200 runs on 4 connections through the docker executor; the '
      + 'milliseconds of the good runs.', '', row(['runs', 'good runs']), row(['---', '---']),
    row(['all good', fair.alone]), row(['one in ten hostile', fair.mixed]), '',
    `Wrong verdicts: ${fair.wrong}.`);
  }
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, `${lines.join('\n')}\n`);
  console.log(`written: ${target}`);
}

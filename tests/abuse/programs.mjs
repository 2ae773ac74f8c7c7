// The hostile programs as files of a request: C is compiled statically, scripts go as they are.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'cases');
const built = mkdtempSync(join(tmpdir(), 'gantry-abuse-'));
process.on('exit', () => rmSync(built, { recursive: true, force: true }));
const images = { sh: 'gantry/sh:latest', python: 'gantry/python:latest' };

function compiled(name) {
  const target = join(built, name);
  if (!existsSync(target)) {
    execFileSync('musl-gcc', ['-static', '-O1', '-w', '-s', '-pthread', '-o', target,
      join(folder, `${name}.c`)], { stdio: 'inherit' });
  }
  return readFileSync(target);
}

/** {image, files, command} of a case; `command` is argv. */
export function program_of(entry, args = entry.args ?? []) {
  const image = images[entry.image ?? 'sh'];
  const file = (path, content, executable) => ({ path, content, executable });
  if (entry.script) return { image, files: [], command: ['sh', '-c', entry.script] };
  if (/\.(sh|py)$/.test(entry.program)) {
    const content = readFileSync(join(folder, entry.program));
    const interpreter = entry.program.endsWith('.py') ? 'python3' : 'sh';
    return { image, files: [file(entry.program, content, false)],
      command: [interpreter, `/box/${entry.program}`, ...args] };
  }
  return { image, files: [file('program', compiled(entry.program), true)],
    command: ['/box/program', ...args] };
}

/** The same as a line for a shell. */
const in_quotes = (word) => `'${word.replaceAll("'", "'\\''")}'`;
export const quoted = (words) => words.map(in_quotes).join(' ');

/** The fields of an execution's request. The local executor has no images: a shell starts it. */
export function request_of(entry, executor, args) {
  const { image, files, command } = program_of(entry, args);
  const sent = files.map(({ path, content, executable }) => (
    { path, content: content.toString('base64'), encoding: 'base64', executable }));
  const limits = { wall_time_ms: 8000, memory_bytes: 128 << 20, ...entry.limits };
  if (executor === 'runsc') limits.runtime = 'runsc';
  const request = { files: sent, limits };
  if (entry.stdin) request.stdin = entry.stdin;
  if (entry.language) {
    return { limits, language: entry.language, source: files[0].content.toString() };
  }
  if (executor !== 'local') return { ...request, image: entry.served ?? image, command };
  return { ...request, language: 'sh', source: `exec ${quoted(command)}\n` };
}

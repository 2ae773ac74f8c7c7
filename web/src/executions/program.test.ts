import { expect, test } from 'vitest';
import { limit_fields, parse_env, to_curl, to_request, type ProgramText } from './program';

const no_limits: ProgramText['limits'] = {
  wall_time_ms: null,
  cpu_time_ms: null,
  memory_bytes: null,
  cpus: null,
  pids: null,
  output_bytes: null,
  file_bytes: null,
  tmpfs_bytes: null,
};

const plain: ProgramText = {
  language: 'python',
  source: 'print(1)',
  stdin: '',
  args: '',
  env: '',
  files: [],
  limits: no_limits,
};

test('what is empty is not sent', () => {
  expect(to_request(plain)).toEqual({ language: 'python', source: 'print(1)' });
});

test('limits are sent in the units of the API', () => {
  const limits = { ...no_limits, wall_time_ms: 2.5, memory_bytes: 64, cpus: 0.5 };
  expect(to_request({ ...plain, limits }).limits).toEqual({
    wall_time_ms: 2500,
    memory_bytes: 67108864,
    cpus: 0.5,
  });
});

test('every limit of the contract has a field', () => {
  expect(limit_fields.map((field) => field.name).sort()).toEqual(Object.keys(no_limits).sort());
});

test('each line is one argument, blanks inside are kept', () => {
  expect(to_request({ ...plain, args: '--name\na b' }).args).toEqual(['--name', 'a b']);
});

test('a value may contain an equals sign', () => {
  expect(parse_env('A=1\n\n B=x=y\nC')).toEqual({ A: '1', B: 'x=y', C: '' });
});

test('a quote in a program can not end the argument of curl', () => {
  const curl = to_curl({ language: 'sh', source: "echo 'x'; rm" }, 'http://127.0.0.1:5920');
  expect(curl).toContain(`"source":"echo '\\''x'\\''; rm"`);
  expect(curl).toMatch(/^curl -sS 'http:\/\/127.0.0.1:5920\/api\/v1\/executions\?wait=true' /);
});

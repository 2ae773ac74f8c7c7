import { expect, test } from 'vitest';
import {
  limit_fields,
  missing,
  own_image,
  parse_env,
  to_curl,
  to_request,
  type ProgramText,
} from './program';

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

const no_modes: ProgramText['modes'] = {
  executor: '',
  network: '',
  filesystem: '',
  workspace: '',
  runtime: '',
  on_output_cap: '',
};

const plain: ProgramText = {
  language: 'python',
  source: 'print(1)',
  stdin: '',
  args: '',
  env: '',
  files: [],
  limits: no_limits,
  modes: no_modes,
  typing: 'before',
  image: '',
  command: '',
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

test('chosen modes are sent as limits, the executor beside them', () => {
  const modes = { ...no_modes, network: 'outbound', executor: 'local' };
  const request = to_request({ ...plain, modes });
  expect([request.limits, request.executor]).toEqual([{ network: 'outbound' }, 'local']);
});

test('a workspace is sent only with the file system that has one', () => {
  const named = { ...no_modes, workspace: 'notes' };
  expect(to_request({ ...plain, modes: named }).limits).toBeUndefined();
  const modes = { ...named, filesystem: 'workspace' };
  expect(to_request({ ...plain, modes }).limits).toEqual({
    filesystem: 'workspace',
    workspace: 'notes',
  });
});

test('a program in an image has a command in the place of a source', () => {
  const text = { ...plain, language: own_image, image: ' alpine ', command: 'sh\n-c\nls -l' };
  expect(to_request(text)).toEqual({ image: 'alpine', command: ['sh', '-c', 'ls -l'] });
});

test('what a program still needs is named', () => {
  expect(missing(plain)).toBeUndefined();
  expect(missing({ ...plain, language: own_image })).toBe('image');
  expect(missing({ ...plain, language: own_image, image: 'alpine' })).toBe('command');
  const modes = { ...no_modes, filesystem: 'workspace' };
  expect(missing({ ...plain, modes })).toBe('workspace');
});

test('typing while it runs asks for a terminal only where one is wanted', () => {
  expect(to_request({ ...plain, typing: 'pipe' })).toMatchObject({ interactive: true });
  expect(to_request({ ...plain, typing: 'pipe' }).terminal).toBeUndefined();
  expect(to_request({ ...plain, typing: 'terminal' }).terminal).toBeDefined();
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

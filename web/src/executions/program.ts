import type { Bounds, Choice, ExecutionRequest, InputFile, Limits, System } from '../api/client';

type ServerLimits = System['limits'];
type Executor = NonNullable<ExecutionRequest['executor']>;
/** The limits that are numbers; the others are modes that an execution can ask for. */
export type LimitName = {
  [Name in keyof ServerLimits]: ServerLimits[Name] extends Bounds ? Name : never;
}[keyof ServerLimits];

/** The limits that are one of several words. */
export type ModeName = {
  [Name in keyof ServerLimits]: ServerLimits[Name] extends Choice ? Name : never;
}[keyof ServerLimits];
export const mode_names: readonly ModeName[] = [
  'network',
  'filesystem',
  'runtime',
  'on_output_cap',
];

/** How and where it runs; empty leaves the server's default. */
export type Modes = Record<ModeName | 'executor' | 'workspace', string>;

/** In the place of a language: a program that is in an image already. */
export const own_image = 'image';

interface LimitField {
  readonly name: LimitName;
  /** What people type the limit in, and how much of the API's unit one of it is. */
  readonly unit: string;
  readonly factor: number;
}

const mib = 1024 * 1024;
export const limit_fields: readonly LimitField[] = [
  { name: 'wall_time_ms', unit: 's', factor: 1000 },
  { name: 'cpu_time_ms', unit: 's', factor: 1000 },
  { name: 'memory_bytes', unit: 'MiB', factor: mib },
  { name: 'cpus', unit: '', factor: 1 },
  { name: 'pids', unit: '', factor: 1 },
  { name: 'output_bytes', unit: 'KiB', factor: 1024 },
  { name: 'file_bytes', unit: 'MiB', factor: mib },
  { name: 'tmpfs_bytes', unit: 'MiB', factor: mib },
];

/** What a person has written: the text of every field as it is on the page. */
export interface ProgramText {
  readonly language: string;
  readonly source: string;
  readonly stdin: string;
  readonly args: string;
  readonly env: string;
  readonly files: readonly InputFile[];
  /** In the unit of its field; null leaves the server's default. */
  readonly limits: Readonly<Record<LimitName, number | null>>;
  readonly modes: Readonly<Modes>;
  /** When its input is given: before it starts, or while it runs, by a terminal or a pipe. */
  readonly typing: 'before' | 'terminal' | 'pipe';
  /** With `own_image`: the image, and its program with arguments, one in each line. */
  readonly image: string;
  readonly command: string;
}

/** The value of a limit in the API's unit. Only CPUs come in fractions. */
export function limit_value({ name, factor }: LimitField, typed: number): number {
  return name === 'cpus' ? typed : Math.round(typed * factor);
}

export function within(bounds: Bounds, value: number): boolean {
  return value >= bounds.min && value <= bounds.max;
}

/** The request for a program, without what is empty or left to its default. */
export function to_request(text: ProgramText): ExecutionRequest {
  const args = text.args === '' ? [] : text.args.split('\n');
  const env = parse_env(text.env);
  const limits = { ...chosen_limits(text.limits), ...chosen_modes(text.modes) };
  return {
    ...what_runs(text),
    ...(text.files.length > 0 && { files: text.files.map((file) => ({ ...file })) }),
    ...(args.length > 0 && { args }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(text.stdin !== '' && { stdin: text.stdin }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(text.modes.executor !== '' && { executor: text.modes.executor as Executor }),
    ...(text.typing !== 'before' && { interactive: true }),
    ...(text.typing === 'terminal' && { terminal: { rows: 30, columns: 100 } }),
  };
}

/** What is missing before it can be sent, if anything. */
export function missing(text: ProgramText): 'image' | 'command' | 'workspace' | undefined {
  if (text.modes.filesystem === 'workspace' && text.modes.workspace === '') return 'workspace';
  if (text.language !== own_image) return undefined;
  if (text.image.trim() === '') return 'image';
  return lines(text.command).length === 0 ? 'command' : undefined;
}

function what_runs(text: ProgramText): ExecutionRequest {
  if (text.language !== own_image) return { language: text.language, source: text.source };
  return { image: text.image.trim(), command: lines(text.command) };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** `NAME=value` lines; only the first `=` separates. */
export function parse_env(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [name, ...value] = line.split('=');
      return [name!.trim(), value.join('=')];
    }),
  );
}

/** A command line that runs the same program; its token comes from the environment. */
export function to_curl(request: ExecutionRequest, origin: string): string {
  return [
    `curl -sS ${quoted(`${origin}/api/v1/executions?wait=true`)}`,
    '-H "Authorization: Bearer $GANTRY_TOKEN"',
    `-H 'Content-Type: application/json'`,
    `--data-binary ${quoted(JSON.stringify(request))}`,
  ].join(' \\\n  ');
}

function chosen_limits(typed: ProgramText['limits']): Limits {
  const limits: Limits = {};
  for (const field of limit_fields) {
    const value = typed[field.name];
    if (value !== null) limits[field.name] = limit_value(field, value);
  }
  return limits;
}

function chosen_modes({ workspace, executor: _, ...modes }: Readonly<Modes>): Limits {
  const chosen = Object.entries(modes).filter(([, value]) => value !== '');
  const kept = modes.filesystem === 'workspace' && workspace !== '' ? { workspace } : {};
  return { ...(Object.fromEntries(chosen) as Limits), ...kept };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

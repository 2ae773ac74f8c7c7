import type { Bounds, ExecutionRequest, InputFile, Limits, System } from '../api/client';

type ServerLimits = System['limits'];
/** The limits that are numbers; the others are modes that an execution can ask for. */
export type LimitName = {
  [Name in keyof ServerLimits]: ServerLimits[Name] extends Bounds ? Name : never;
}[keyof ServerLimits];

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
  const limits = chosen_limits(text.limits);
  return {
    language: text.language,
    source: text.source,
    ...(text.files.length > 0 && { files: text.files.map((file) => ({ ...file })) }),
    ...(args.length > 0 && { args }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(text.stdin !== '' && { stdin: text.stdin }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
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

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

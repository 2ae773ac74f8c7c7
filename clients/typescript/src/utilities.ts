// Small things that stand beside the executors in the origin, for those who import them there.
import { isAbsolute, relative, resolve, sep } from 'node:path';

/** How much of each output a result has, as its users know it. */
export const OUTPUT_LENGTH_MAX = 8000;

/** The first `maxLength` UTF-16 code units, and how many more there were. */
export function truncateOutput(output: string, maxLength = OUTPUT_LENGTH_MAX): string {
  if (output.length <= maxLength) return output;
  const more = output.length - maxLength;
  return `${output.slice(0, maxLength)}\n\n... [truncated ${more} more characters]`;
}

/** Whether a path stays below a folder of this machine, by its names; links are not looked at. */
export function validatePath(path: string, workspaceRoot: string): boolean {
  const way = relative(workspaceRoot, resolve(workspaceRoot, path));
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

const harmless = ['PATH', 'HOME', 'USER', 'SHELL', 'LANG', 'TZ'];

/** Of an environment what may be shown to anybody. The executors send nothing of this process's. */
export function sanitizeEnvironment(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(
    ([name, value]) => harmless.includes(name) && value !== ''));
}

/** Rejects after so many milliseconds; does not keep the process alive for it. */
export function createTimeoutPromise(ms: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`Execution timeout after ${ms}ms`)), ms).unref();
  });
}

// What a test does at its end, so that nothing of it stays.
import { readFileSync } from 'node:fs';

/** Does every step, whatever became of those before it; then tells what failed. */
export async function clean_up(...steps) {
  const failures = [];
  for (const step of steps) {
    try {
      await step();
    } catch (failure) {
      failures.push(failure);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'the test did not clean up');
}

/** Kills a process and all below it: sshd's connections are sessions of their own, which are found
 * by their parents. */
export function kill_tree(pid) {
  let children = [];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
  for (const child of children.filter(Boolean)) kill_tree(Number(child));
}

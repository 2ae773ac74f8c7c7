/** One of the steps of what helps: words, and a command behind them that can be copied. */
export interface Step {
  readonly text: string;
  readonly command?: string;
}

/** The programs that remedies name; anything else in quotes is a name or a place. */
const programs = [
  'sudo',
  'docker',
  'docker-compose',
  'gantry',
  'apt',
  'systemctl',
  'journalctl',
  'loginctl',
  'newgrp',
  'export',
  'unset',
  'namei',
  'ls',
  'id',
  'stat',
  'ssh',
  'ssh-keygen',
];
// `words: 'a command'` and `words with 'a command'`, at the end of a step.
const program = programs.join('|');
const with_command = new RegExp(`^((?:.*(?::|\\bwith) )?)'((?:${program}) .*\\S)'$`, 'u');
const apostrophe = /(?<=\p{L})'(?=\p{L})/gu;
// What turns around or hides what people read before they copy it.
const odd = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * The steps of a refusal's remedy, which parts them by `; `. Names of accounts and paths may hold
 * anything, quotes too: a command is told from its words only where nothing else can be meant.
 */
export function steps_of(remedy: string): readonly Step[] {
  const whole = [{ text: remedy }];
  if (odd.test(remedy)) return whole;
  const steps = remedy.split('; ');
  // A quote that goes on behind the `; ` was none of the remedy's.
  return steps.every(is_closed) ? steps.map(step_of) : whole;
}

function step_of(text: string): Step {
  const [, words, command] = with_command.exec(text) ?? [];
  if (words === undefined || command === undefined) return { text };
  const sure = count(text, "'") === 2 && count(text, '`') === 0 && !/['"]/.test(command);
  return sure ? { text: words, command } : { text };
}

function is_closed(step: string): boolean {
  return count(step, "'") % 2 === 0 && count(step, '`') % 2 === 0;
}

function count(step: string, quote: string): number {
  return step.replace(apostrophe, '').split(quote).length - 1;
}

/** Why an engine is not reached, as far as the doctor finds out more. */
const of_doctor = [
  'engine_permission_denied',
  'engine_socket_missing',
  'engine_not_running',
  'engine_not_an_engine',
  'engine_unreachable',
  'engine_timed_out',
  'host_unreachable',
  'ssh_remote_socket_permission',
  'ssh_remote_socket_missing',
  'ssh_remote_engine_down',
];

/** Whether the doctor of the host knows more about a refusal. */
export function leads_to_doctor(code: string): boolean {
  return of_doctor.includes(code);
}

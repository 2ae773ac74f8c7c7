/** A part of what helps: words, or a command that can be copied. */
export interface Piece {
  readonly text: string;
  readonly command: boolean;
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
// One that has quotes of its own is left in its words: half a command would be worse than none.
const quoted = new RegExp(`'((?:${programs.join('|')}) [^']*[^'\\s])'(?=$|[\\s;,.:)])`);

/** The remedy of a refusal with its commands, which it has in quotes, apart from its words. */
export function pieces_of(remedy: string): readonly Piece[] {
  // Of a text with one group, split gives words and groups in turn.
  return remedy
    .split(quoted)
    .map((text, at) => ({ text, command: at % 2 === 1 }))
    .filter(({ text }) => text !== '');
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

/** A refusal that was told in one sentence, cause and remedy apart. */
export function parted(sentence: string): { detail: string; remedy?: string } {
  const at = sentence.indexOf('; ');
  if (at < 0) return { detail: sentence };
  return { detail: sentence.slice(0, at), remedy: sentence.slice(at + 2) };
}

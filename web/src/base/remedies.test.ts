import { expect, test } from 'vitest';
import { leads_to_doctor, parted, pieces_of } from './remedies';

test('commands in a remedy are told from its words', () => {
  expect(pieces_of("add the user: 'sudo usermod -aG docker ann'; then log in again")).toEqual([
    { text: 'add the user: ', command: false },
    { text: 'sudo usermod -aG docker ann', command: true },
    { text: '; then log in again', command: false },
  ]);
});

test('each of several commands is one', () => {
  const commands = pieces_of("'newgrp docker', or 'sudo systemctl restart gantry'").filter(
    ({ command }) => command,
  );
  expect(commands.map(({ text }) => text)).toEqual([
    'newgrp docker',
    'sudo systemctl restart gantry',
  ]);
});

test('names in quotes are no commands', () => {
  const remedy = "there is no group 'docker' and no '/var/run/docker.sock'; name one with 'sudo'";
  expect(pieces_of(remedy)).toEqual([{ text: remedy, command: false }]);
});

test('of a command with quotes in it no half is offered', () => {
  const remedy = "make it: 'sudo install -d '/srv/a b''; or not";
  expect(pieces_of(remedy)).toEqual([{ text: remedy, command: false }]);
});

test('of what is told in one sentence the remedy is apart', () => {
  expect(parted("cannot reach it: nobody listens; start it; 'journalctl -u docker'")).toEqual({
    detail: 'cannot reach it: nobody listens',
    remedy: "start it; 'journalctl -u docker'",
  });
  expect(parted('cannot reach it')).toEqual({ detail: 'cannot reach it' });
});

test('the doctor is named where it knows more', () => {
  expect(leads_to_doctor('engine_permission_denied')).toBe(true);
  expect(leads_to_doctor('engine_no_image')).toBe(false);
});

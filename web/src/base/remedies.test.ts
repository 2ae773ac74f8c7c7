import { expect, test } from 'vitest';
import { leads_to_doctor, steps_of } from './remedies';

function commands_of(remedy: string): string[] {
  return steps_of(remedy).flatMap(({ command }) => command ?? []);
}

test('commands in a remedy are told from its words', () => {
  expect(steps_of("add the user: 'sudo usermod -aG docker ann'; then log in again")).toEqual([
    { text: 'add the user: ', command: 'sudo usermod -aG docker ann' },
    { text: 'then log in again' },
  ]);
  expect(steps_of("'newgrp docker'")).toEqual([{ text: '', command: 'newgrp docker' }]);
});

test('every step has its command', () => {
  expect(
    commands_of("look at the engine's log with 'journalctl -u docker'; or, there: 'ls -l /run'"),
  ).toEqual(['journalctl -u docker', 'ls -l /run']);
});

test('names in quotes are no commands', () => {
  const remedy = "there is no group 'docker' and no '/var/run/docker.sock'; name one with 'sudo'";
  expect(commands_of(remedy)).toEqual([]);
  expect(commands_of("user 'sudo reboot' is not in the group")).toEqual([]);
  expect(commands_of("add user 'sudo reboot'")).toEqual([]);
});

test.each([
  "'sudo usermod -aG 'sudo reboot' ann'",
  "add them: 'sudo usermod -aG 'sudo reboot' ann'",
  "add them: 'sudo usermod -aG docker ann': 'sudo reboot'",
  "add them: `sudo usermod -aG docker 'sudo reboot'`",
  "add them: `sudo usermod -aG docker 'ann; or: 'sudo reboot'; then'`",
  "add them: 'sudo usermod -aG docker ann; or: 'sudo reboot'; then'",
  "add user 'ann; with 'sudo reboot'; then",
  "add user 'a'b: 'sudo reboot'",
  "add them: 'sudo usermod -aG docker a'b'",
  "make it: 'sudo install -d '/srv/a b''; or not",
  'make it: \'sudo install -d "/srv/a b"\'',
  "'newgrp docker', or 'sudo systemctl restart gantry'",
  "add them: 'sudo usermod -aG docker ann\nsudo reboot'",
  "add them: 'sudo usermod -aG docker ann\u0000'",
  "add them: 'sudo usermod -aG docker \u202Enna'",
  "add them: 'sudo usermod -aG docker\u200B ann'",
  "add them: 'sudo usermod -aG docker\u2028ann'",
])('of what can be read in two ways no command is offered: %j', (remedy) => {
  expect(commands_of(remedy)).toEqual([]);
  expect(steps_of(remedy).map(({ text }) => text).join('; ')).toBe(remedy);
});

test('the doctor is named where it knows more', () => {
  expect(leads_to_doctor('engine_permission_denied')).toBe(true);
  expect(leads_to_doctor('engine_no_image')).toBe(false);
});

// The pages beside running programs, in the order in which the tests of the console visit them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  button,
  forget_refusal,
  go,
  go_by_account,
  output,
  owner,
  page,
  program_with,
  test,
  url,
  verdict,
  verdict_timeout_ms,
  write_program,
} from './story.mjs';
import { examine, narrow, wide } from './visitor.mjs';

const row = (name) => page.getByRole('row').filter({ hasText: name });

export function test_programs() {
  test('a file that a program leaves can be downloaded', async () => {
    await go_to_run();
    await write_program("import os\nos.mkdir('out')\nopen('out/plot.txt', 'w').write('drawn')");
    await button('Run').click();
    await page.getByRole('link', { name: 'plot.txt' }).waitFor({ timeout: verdict_timeout_ms });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'plot.txt' }).click(),
    ]);
    assert.equal(await readFile(await download.path(), 'utf8'), 'drawn');
  });

  test('a program in a terminal is typed to while it runs', async () => {
    await page.getByRole('tab', { name: 'Input' }).click();
    await page.getByLabel('Standard input').fill('');
    await page.getByLabel('When input is given').selectOption('terminal');
    await page.getByRole('tab', { name: 'Program' }).click();
    await write_program("print('hello ' + input('name? '))");
    await button('Run').click();
    await output().getByText('name?').waitFor({ timeout: verdict_timeout_ms });
    await page.getByLabel('Type a line for the program').fill('bob');
    await page.keyboard.press('Enter');
    await output().getByText('hello bob').waitFor();
    await verdict('ok').waitFor({ timeout: verdict_timeout_ms });
  });

  test('an interrupted program ends', async () => {
    await write_program("import time\nprint('ready', flush=True)\ntime.sleep(60)");
    await button('Run').click();
    await output().getByText('ready').waitFor({ timeout: verdict_timeout_ms });
    await button('Interrupt').click();
    await output().getByText('KeyboardInterrupt').waitFor();
    await page.getByRole('tab', { name: 'Input' }).click();
    await page.getByLabel('When input is given').selectOption('before');
  });

  test('where a program runs is chosen among what the server allows', async () => {
    await page.getByRole('tab', { name: 'Sandbox' }).click();
    await page.getByLabel('Where it runs').selectOption('docker');
    await page.getByLabel('What it can write to').selectOption('workspace');
    await page.getByText('Name the workspace').waitFor();
    assert.equal(await button('Run').isDisabled(), true);
    await examine(page, 'sandbox');
    await button('Defaults').click();
    await page.getByRole('tab', { name: 'Program' }).click();
  });

  test('what a program keeps in a workspace is listed and can be deleted', async () => {
    await page.getByRole('tab', { name: 'Sandbox' }).click();
    await page.getByLabel('What it can write to').selectOption('workspace');
    await page.getByLabel('Name of the workspace').fill('notes');
    await page.getByRole('tab', { name: 'Program' }).click();
    await write_program("open('workspace/note', 'w').write('kept')\nprint('written')");
    await button('Run').click();
    await output().getByText('written').waitFor({ timeout: verdict_timeout_ms });
    await verdict('ok').waitFor({ timeout: verdict_timeout_ms });
    await go_by_account('Workspaces');
    await row('notes').getByText('4 B').waitFor();
    await examine(page, 'workspaces');
    await button('Delete notes').click();
    await button('Delete with all that is in it').click();
    await page.getByText('You keep no workspace.').waitFor();
    await go_to_run();
    await page.getByRole('tab', { name: 'Sandbox' }).click();
    await button('Defaults').click();
    await page.getByRole('tab', { name: 'Program' }).click();
  });

  test('a program of an own image has a command', async () => {
    await page.getByLabel('Language').selectOption('image');
    await page.getByText('Name an image').waitFor();
    await page.getByLabel('Image', { exact: true }).fill('gantry/sh:latest');
    await page.getByLabel('Program and arguments').fill('sh\n-c\necho from an image');
    await examine(page, 'own-image');
    await button('Run').click();
    await output().getByText('from an image').waitFor({ timeout: verdict_timeout_ms });
    await page.getByLabel('Language').selectOption('python');
  });

  test('the history is filtered, and one execution is told in full', async () => {
    await go('Executions');
    await row('python').first().waitFor();
    await examine(page, 'executions');
    await page.getByText('Not OK').click();
    await page.locator('tbody [data-verdict="ok"]').first().waitFor({ state: 'detached' });
    await page.locator('tbody [data-verdict="cancelled"]').waitFor();
    assert.equal(await page.locator('tbody [data-verdict="ok"]').count(), 0);
    await row('Cancelled').getByRole('link').first().click();
    await output().getByText('tick').first().waitFor();
    await page.getByRole('heading', { name: 'Source' }).waitFor();
    await examine(page, 'execution');
    await button('Edit and run again').click();
    await page.waitForURL('**/run');
    await program_with('while True').waitFor();
  });
}

export function test_machine() {
  test('what waits in the warm pool is told', async () => {
    await go('Warm pool');
    await row('gantry/python').first().waitFor();
    await page.getByText(/of \d+ programs/).first().waitFor();
    await examine(page, 'pools');
  });

  test('images tell what uses them, and a registry password is never shown', async () => {
    await go('Images');
    await row('gantry/python:latest').getByText('Languages: python').waitFor();
    await page.getByLabel('Image', { exact: true }).fill('registry.example.org/nothing');
    await button('Pull').click();
    await page.getByRole('alert').waitFor({ timeout: verdict_timeout_ms });
    await button('Tag gantry/python:latest').click();
    await page.getByPlaceholder('New name').fill('gantry/browser:mine');
    await row('gantry/python:latest').getByRole('button', { name: 'Save' }).click();
    await button('Take away the name gantry/browser:mine').click();
    await row('gantry/browser:mine').waitFor({ state: 'detached' });
    await page.getByLabel('Filter by name or id').fill('no such image');
    await page.getByText('No image matches.').waitFor();
    await page.getByLabel('Filter by name or id').fill('');
    await page.getByLabel('Host').last().fill('registry.example.org:5000');
    await page.getByLabel('User', { exact: true }).fill('ci');
    await page.getByLabel('Password or token').fill('wonderland');
    await button('Save').last().click();
    await row('registry.example.org:5000').waitFor();
    assert.equal((await page.content()).includes('wonderland'), false);
    await examine(page, 'images');
    await button('Forget registry.example.org:5000').click();
    await button('Forget for good').click();
    await page.getByText('every pull is anonymous').waitFor();
  });
}

export function test_people() {
  test('a user is added, refused a second time, promoted, disabled and removed', async () => {
    await go('Users');
    await add_user('bob');
    await row('bob').waitFor();
    await add_user('bob');
    await page.getByRole('alert').getByText("the name is taken").waitFor();
    await page.getByRole('alert').getByText('choose another name').waitFor();
    await forget_refusal(409);

    await page.getByLabel('Role of bob').selectOption('viewer');
    await button('Disable bob').click();
    await button('Shut out, with all tokens').click();
    await button('Enable bob').waitFor();
    await button('Reset password of bob').click();
    await examine(page, 'users');
    await page.getByLabel('New password for bob').fill('a new long password');
    await button('Set password').click();
    await button('Set password').waitFor({ state: 'detached' });
    await button('Remove bob').click();
    await button('Remove with tokens and sessions').click();
    await row('bob').waitFor({ state: 'detached' });
  });

  test('who may do nothing else runs programs', async () => {
    await page.getByRole('combobox', { name: 'Role', exact: true }).selectOption('executor');
    await add_user('eve');
    await row('eve').waitFor();
    const apart = await page.context().browser().newContext({ locale: 'en-US' });
    const hers = await apart.newPage();
    await hers.goto(url);
    await hers.getByLabel('Name').fill('eve');
    await hers.getByLabel('Password').fill('a long password');
    await hers.getByRole('button', { name: 'Sign in' }).click();
    await hers.getByRole('button', { name: 'Run', exact: true }).click();
    const ok = hers.getByRole('status').locator('[data-verdict="ok"]');
    await ok.waitFor({ timeout: verdict_timeout_ms });
    for (const address of ['containers', 'hosts', 'users', 'audit']) {
      await hers.goto(new URL(address, url).href);
      await hers.getByRole('alert').first().waitFor();
      assert.equal(await hers.getByText('Loading').count(), 0, `${address} waits for nothing`);
    }
    await apart.close();
    await button('Remove eve').click();
    await button('Remove with tokens and sessions').click();
    await row('eve').waitFor({ state: 'detached' });
  });

  test('the last admin can not be removed', async () => {
    await button('Remove ada').click();
    await button('Remove with tokens and sessions').click();
    await page.getByRole('alert').getByText(/last admin/).first().waitFor();
    await forget_refusal(409);
  });

  test('the own password is changed only by who knows it', async () => {
    await go_by_account('My account');
    await examine(page, 'my-account');
    await change_password('not the password');
    await page.getByRole('alert').waitFor();
    await forget_refusal(403);
    await change_password(owner.password);
    await page.getByText('Your password is changed.').waitFor();
  });

  test('the audit log tells who did what, and that it is whole', async () => {
    await go('Audit log');
    await page.getByLabel('Kind of action').selectOption('user');
    await row('User disabled').first().waitFor();
    await row('Sign-in').first().waitFor({ state: 'detached' });
    await row('User disabled').first().getByRole('button').click();
    await page.locator('code').getByText('user.disable').waitFor();
    await button('Check the chain').click();
    await page.getByText(/The chain is unbroken/).waitFor();
    await examine(page, 'audit');
  });

  test('a token has limits of its own', async () => {
    await go_by_account('API tokens');
    await page.getByLabel('Name').fill('narrow');
    await button('Limits').click();
    await page.getByLabel('Wall time, s').fill('5');
    await page.getByLabel('At once').fill('2');
    await examine(page, 'token-limits');
    await button('Create token').click();
    await page.getByText('Wall time ≤ 5 s · 2 at once').waitFor();
    await button('Revoke narrow').click();
    await button('Revoke for good').click();
    await page.getByText('You have no tokens.').waitFor();
  });

  test('on a phone the menu opens by the keyboard', async () => {
    await page.setViewportSize(narrow);
    await button('Menu').waitFor();
    await button('Menu').focus();
    await page.keyboard.press('Enter');
    await examine_menu();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Executions' }).waitFor({ state: 'hidden' });
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Executions' }).click();
    await page.getByRole('heading', { name: 'Executions' }).waitFor();
    await page.getByRole('link', { name: 'Images' }).waitFor({ state: 'hidden' });
    await page.setViewportSize(wide);
  });
}

async function go_to_run() {
  await page.getByRole('navigation').getByRole('link', { name: 'Run', exact: true }).click();
  await page.getByRole('tab', { name: 'Program' }).click();
}

async function add_user(name) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('First password').fill('a long password');
  await button('Add user').click();
}

async function change_password(current) {
  await page.getByLabel('Current password').fill(current);
  await page.getByLabel('New password', { exact: true }).fill(owner.password);
  await page.getByLabel('New password again').fill(owner.password);
  await button('Change password').click();
}

async function examine_menu() {
  const links = page.getByRole('navigation').getByRole('link');
  await links.first().waitFor();
  assert.ok((await links.count()) >= 7);
}

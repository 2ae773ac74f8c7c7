// The console in a real browser, in front of a real server: GANTRY_URL is its address and
// GANTRY_SETUP_LINK the one-time link it printed. The tests tell one story, in order.
import assert from 'node:assert/strict';
import { test_containers, test_fleet, test_stores } from './fleet.mjs';
import { test_ways } from './hosts.mjs';
import { test_machine, test_people, test_programs } from './pages.mjs';
import {
  button,
  forget_refusal,
  go_by_account,
  menu_link,
  output,
  owner,
  page,
  program_with,
  setup_link,
  sign_out,
  test,
  url,
  verdict,
  verdict_timeout_ms,
  visitor,
  write_program,
} from './story.mjs';
import { test_second_factor } from './second_factor.mjs';
import { examine } from './visitor.mjs';

async function sign_in() {
  await page.getByLabel('Name').fill(owner.name);
  await page.getByLabel('Password').fill(owner.password);
  await button('Sign in').click();
  await menu_link('Containers').waitFor();
}

test('a server without an owner tells a visitor to open the one-time link', async () => {
  await page.goto(url);
  await page.getByText('This server has no owner yet').waitFor();
  await examine(page, 'sign-in');
});

test('the one-time link creates the owner, signs them in and leaves no trace', async () => {
  await page.goto(setup_link);
  await page.getByRole('heading', { name: 'Welcome to Gantry' }).waitFor();
  assert.equal(page.url(), new URL('/setup', url).href);
  await examine(page, 'setup');

  await page.getByLabel('Name').fill(owner.name);
  await page.getByLabel('Password', { exact: true }).fill(owner.password);
  await page.getByLabel('Password again').fill(owner.password);
  await button('Create owner').click();
  await page.waitForURL('**/run');
});

test('a program runs, and its output and verdict appear', async () => {
  await write_program('print(6*7)');
  await page.keyboard.press('Control+Enter');
  await verdict('ok').waitFor({ timeout: verdict_timeout_ms });
  await output().getByText(/^\s*42\s*$/).first().waitFor();
  await examine(page, 'run');
});

test('a program that runs long is cancelled', async () => {
  await write_program('import time\nwhile True: print("tick", flush=True); time.sleep(0.2)');
  await button('Run').click();
  await page.getByTestId('output').getByText('tick').waitFor({ timeout: verdict_timeout_ms });
  await button('Cancel').click();
  await verdict('cancelled').waitFor({ timeout: verdict_timeout_ms });
});

test('the history gives back a program and its output', async () => {
  await page.getByRole('button', { name: /^python OK/ }).first().click();
  await page.getByTestId('output').getByText('42').waitFor();
  await program_with('print(6*7)').waitFor();
});

test('standard input arrives, a limit out of bounds is not even sent', async () => {
  await page.getByRole('tab', { name: 'Input' }).click();
  await page.getByLabel('Standard input').fill('hello');
  await examine(page, 'input');
  await page.getByRole('tab', { name: 'Files' }).click();
  await button('New file').click();
  await examine(page, 'files');
  await page.getByRole('button', { name: /^Remove/ }).click();
  await page.getByRole('tab', { name: 'Limits' }).click();
  await page.getByLabel('Processes').fill('100000');
  assert.equal(await button('Run').isDisabled(), true);
  await examine(page, 'limits');
  await button('Defaults').click();
  await page.getByRole('tab', { name: 'Program' }).click();
  await write_program('print(input().upper())');
  await button('Run').click();
  await page.getByTestId('output').getByText('HELLO').waitFor({ timeout: verdict_timeout_ms });
});

test_programs();

test_fleet();
test_ways();
test_containers();
test_stores();
test_machine();
test_people();
test_second_factor();

test('an API token is shown once and can be revoked', async () => {
  await page.getByRole('button', { name: 'Account of ada' }).click();
  await examine(page, 'account');
  await page.keyboard.press('Escape');
  await go_by_account('API tokens');
  await page.getByText('You have no tokens.').waitFor();
  await page.getByLabel('Name').fill('ci');
  await button('Create token').click();
  assert.match(await page.getByTestId('token').innerText(), /^gantry_/);
  await examine(page, 'tokens');

  await page.reload();
  await button('Revoke ci').click();
  assert.equal(await page.getByTestId('token').count(), 0);
  await button('Revoke for good').click();
  await page.getByText('You have no tokens.').waitFor();
});

test('language and theme can be chosen and are remembered', async () => {
  await page.getByRole('button', { name: 'Account of ada' }).click();
  await page.getByText('中文').click();
  await page.getByText('深色').click();
  await page.reload();
  await menu_link('容器').waitFor();
  await page.locator('html[lang="zh-CN"][data-theme="dark"]').waitFor();
  await page.getByRole('link', { name: '运行', exact: true }).click();
  await page.locator('.cm-content').waitFor();
  await examine(page, 'chinese');

  await page.getByRole('button', { name: 'ada 的账户' }).click();
  await page.getByText('English').click();
  await page.getByText('System', { exact: true }).click();
  await page.keyboard.press('Escape');
});

test('one signs out and in again', async () => {
  await sign_out();
  await page.getByLabel('Name').fill(owner.name);
  await page.getByLabel('Password').fill('wrong password');
  await button('Sign in').click();
  await page.getByRole('alert').waitFor();
  await forget_refusal(401);
  await sign_in();
});

test('nothing was blocked, nothing failed and nobody else was asked', () => {
  assert.deepEqual(visitor.noticed, []);
});

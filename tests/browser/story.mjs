// What the tests of the console share: one browser, one page, and steps that follow each other.
import assert from 'node:assert/strict';
import { after, before, test as node_test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { visit } from './visitor.mjs';

export const url = process.env.GANTRY_URL;
export const setup_link = process.env.GANTRY_SETUP_LINK;
export const owner = { name: 'ada', password: 'correct horse battery' };
// The first execution may have to make or pull an image.
export const verdict_timeout_ms = 120_000;

export let visitor;
export let page;

before(async () => {
  assert.ok(url && setup_link, 'GANTRY_URL and GANTRY_SETUP_LINK are needed');
  visitor = await visit(url);
  page = visitor.page;
});

after(() => visitor?.close());

// Each step needs the ones before it: after a failure the others would only wait in vain.
let failed = false;
export function test(name, step) {
  node_test(name, async (context) => {
    if (failed) return context.skip('an earlier step failed');
    failed = true;
    await step(context);
    assert.deepEqual(visitor.noticed, [], 'what the browser was refused, blocked or told');
    failed = false;
  });
}

export const button = (name) => page.getByRole('button', { name, exact: true });
export const output = () => page.getByTestId('output');
/** The editor, once this is in it. */
export const program_with = (text) => page.locator('.cm-content').filter({ hasText: text });
export const verdict = (name) => page.getByRole('status').locator(`[data-verdict="${name}"]`);

export async function write_program(text) {
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

export const menu_link = (name) =>
  page.getByRole('navigation').getByRole('link', { name, exact: true });

/** Goes to a page by the main menu. */
export async function go(name) {
  await menu_link(name).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

/** Goes to a page by the menu of the account. */
export async function go_by_account(name) {
  await page.getByRole('button', { name: 'Account of ada' }).click();
  await page.getByRole('link', { name, exact: true }).first().click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

export async function sign_out() {
  await page.getByRole('button', { name: 'Account of ada' }).click();
  await button('Sign out').click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

/** The browser logs the refusal that a step was meant to get, perhaps later than the page tells. */
export async function forget_refusal(status) {
  const deadline = Date.now() + verdict_timeout_ms;
  for (;;) {
    const at = visitor.noticed.findIndex((text) => text.includes(String(status)));
    if (at >= 0) return visitor.noticed.splice(at, 1);
    assert.ok(Date.now() < deadline, `nothing was refused with ${status}`);
    await pause(50);
  }
}

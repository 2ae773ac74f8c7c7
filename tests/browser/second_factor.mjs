// The second factor: set up by its secret, asked for at sign-in, switched off again.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import {
  button,
  forget_refusal,
  go_by_account,
  menu_link,
  owner,
  page,
  sign_out,
  test,
} from './story.mjs';
import { examine } from './visitor.mjs';

let recovery = '';

export function test_second_factor() {
  test('a second factor is set up by the code that its secret gives', async () => {
    await go_by_account('My account');
    const code_to_scan = page.getByRole('img', {
      name: 'QR code with the secret of the second factor',
    });
    await button('Set up').click();
    await code_to_scan.waitFor();
    await page.getByLabel('Current password').last().fill('typed, and left');
    await button('Cancel').click();
    await code_to_scan.waitFor({ state: 'detached' });
    await button('Set up').click();
    await code_to_scan.waitFor();
    assert.equal(await page.getByLabel('Current password').last().inputValue(), '');
    await examine(page, 'second-factor');
    const secret = await page.getByTestId('totp-secret').innerText();
    await page.getByLabel('Code', { exact: true }).fill(code_of(secret));
    await page.getByLabel('Current password').last().fill(owner.password);
    await button('Switch it on').click();
    const codes = page.getByTestId('recovery-codes').locator('code');
    recovery = (await codes.first().innerText()).trim();
    await page.getByText('A code is asked for at every sign-in.').waitFor();
    await examine(page, 'recovery-codes');
  });

  test('signing in takes the code, and a recovery code stands in for it', async () => {
    await sign_out();
    await page.getByLabel('Name').fill(owner.name);
    await page.getByLabel('Password').fill(owner.password);
    await button('Sign in').click();
    await page.getByLabel('Code', { exact: true }).waitFor();
    await forget_refusal(401);
    await examine(page, 'sign-in-code');
    await page.getByLabel('Code', { exact: true }).fill('000000');
    await button('Sign in').click();
    await page.getByRole('alert').waitFor();
    await forget_refusal(401);
    await page.getByLabel('Code', { exact: true }).fill(recovery);
    await button('Sign in').click();
    await menu_link('Containers').waitFor();
  });

  test('it is switched off only by who knows the password', async () => {
    await go_by_account('My account');
    await page.getByText('this one').waitFor();
    await button('Switch off').click();
    await page.getByLabel('Current password').last().fill(owner.password);
    await button('Ask for no code any more').click();
    await button('Set up').waitFor();
  });
}

/** The code of RFC 6238 for now: six digits, SHA-1, 30 s. */
function code_of(secret) {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac('sha1', bytes_of(secret)).update(step).digest();
  const at = digest.at(-1) & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** The bytes of a text in base32. */
function bytes_of(text) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text.replace(/[\s=]/g, '').toUpperCase()]
    .map((digit) => digits.indexOf(digit).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

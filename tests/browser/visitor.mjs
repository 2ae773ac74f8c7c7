// A headless Chromium that looks at the console and notices what must not happen.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';

// The tools are development dependencies of the console, so that there is one lockfile.
const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = require('axe-core');

const chromium_args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const wide = { width: 1440, height: 900 };
export const narrow = { width: 360, height: 780 };

/** Opens a browser with one page; `url` is the only server that it may speak to. */
export async function visit(url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: chromium_args,
  });
  const context = await browser.newContext({
    viewport: wide,
    locale: 'en-US',
    colorScheme: 'light',
  });
  const noticed = [];
  await context.addInitScript({ content: axe.source });
  await context.exposeBinding('tell_violation', (_, text) => void noticed.push(text));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { violatedDirective, blockedURI, sourceFile, lineNumber, columnNumber, sample } = event;
      const where = `${sourceFile}:${lineNumber}:${columnNumber}`;
      globalThis.tell_violation(`CSP: ${violatedDirective} ${blockedURI} at ${where} ${sample}`);
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);  // only so that a test that fails ends
  page.on('request', (request) => {
    const outside = new URL(request.url()).origin !== new URL(url).origin;
    if (outside) noticed.push(`request to ${request.url()}`);
  });
  page.on('pageerror', (error) => noticed.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error' || asks_who_is_there(message)) return;
    noticed.push(`${message.text()} ${message.location().url}`);
  });
  return { page, noticed, close: () => browser.close() };
}

// Before signing in, the page asks who is signed in, and the browser logs the 401.
function asks_who_is_there(message) {
  return message.location().url.endsWith('/api/v1/me') && message.text().includes('401');
}

/** Looks at the present page in both themes and both widths: axe, sideways scrolling, pictures. */
export async function examine(page, name) {
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    for (const [size, viewport] of Object.entries({ wide, narrow })) {
      await page.setViewportSize(viewport);
      await assert_fits(page, `${name} ${size}`);
      await assert_accessible(page, `${name} ${theme} ${size}`);
      await picture(page, `${name}-${theme}-${size}`);
    }
  }
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: 'light' });
}

async function assert_accessible(page, what) {
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} (${node.any[0]?.message ?? ''})`),
  );
  assert.deepEqual(found, [], `axe on ${what}`);
}

async function assert_fits(page, what) {
  const wider = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > clientWidth)
      .map((element) => `${element.localName}.${element.className}`);
  });
  assert.deepEqual(wider, [], `${what} scrolls sideways`);
}

async function picture(page, name) {
  const folder = process.env.GANTRY_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}

/** Walks through the page by Tab alone: every control in sight must be met on the way. */
export async function walk(page, what) {
  const count = await page.evaluate(() => {
    const controls = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const wanted = [...document.querySelectorAll(controls)].filter((one) => {
      const radio = one.type === 'radio' && !one.checked;
      const tab = one.role === 'tab' && one.ariaSelected !== 'true';
      return !one.disabled && !radio && !tab && one.checkVisibility({ visibilityProperty: true });
    });
    globalThis.to_meet = new Set(wanted);
    document.activeElement?.blur();
    globalThis.getSelection().removeAllRanges();
    return wanted.length;
  });
  assert.ok(count > 0, `${what} has no controls`);
  for (let presses = 0; presses < count + 20; presses += 1) {
    await page.keyboard.press('Tab');
    const left = await page.evaluate(() => {
      const left = globalThis.to_meet;
      left.delete(document.activeElement);
      // Lists change meanwhile.
      for (const one of left) if (!one.isConnected) left.delete(one);
      return left.size;
    });
    if (left === 0) return;
  }
  const missed = await page.evaluate(() => [...globalThis.to_meet].map((one) => one.outerHTML));
  assert.deepEqual(missed, [], `${what}: not reached by the keyboard`);
}

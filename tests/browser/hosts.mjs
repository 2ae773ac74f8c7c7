// Hosts over TLS and SSH: what is not trusted is told, and nothing but a click trusts it.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { button, go, page, test } from './story.mjs';
import { examine } from './visitor.mjs';
import { SshServer, TlsFront, remove_folder, ssh_missing } from './ways.mjs';

const slow = { timeout: 120_000 };
const front = new TlsFront();
const ssh = new SshServer();
const steps = () => page.getByRole('region', { name: 'Connection test' });
const row = (name) => page.getByRole('row').filter({ hasText: name });

async function forget(name) {
  await button('Remove').click();
  await button('Forget it, with its secrets').click();
  await page.waitForURL('**/hosts');
  await row(name).waitFor({ state: 'detached' });
}

export function test_ways() {
  after(() => {
    front.stop();
    ssh.stop();
    remove_folder();
  });

  test('an exported Docker context fills in the form, certificates included', async () => {
    await front.start();
    await go('Hosts');
    await button('Add a host').click();
    await page.getByText("From a context of Docker's own client").click();
    await page.getByLabel('Choose the exported file').setInputFiles({
      name: 'vault.dockercontext',
      mimeType: 'application/octet-stream',
      buffer: front.exported_context(),
    });
    await page.getByText("Filled in from the context 'The Vault'").waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'the-vault');
    assert.equal(await page.getByLabel('Endpoint').inputValue(), `tls://${front.address()}`);
    const authority = page.getByRole('textbox', { name: 'CA certificate (PEM)' });
    assert.equal(await authority.inputValue(), front.authority());
    await page.getByLabel('Or its description (JSON)').fill('hello');
    await button('Fill in').click();
    await page.getByText('This is neither an exported context').waitFor();
    await examine(page, 'context-import');
    // Somebody else's: the certificate that the host shows is not by them.
    await authority.fill(front.stranger());
  });

  test('over TLS a wrong CA is told, and the right one connects', async () => {
    await button('Add and test').click();
    await page.waitForURL('**/hosts/the-vault');
    await page.getByText('It does not work').waitFor(slow);
    await steps().getByText('by somebody who is not trusted').waitFor();
    assert.equal(await button('Trust this key').count(), 0);
    await button('Edit').click();
    await page.getByRole('textbox', { name: 'CA certificate (PEM)' }).fill(front.authority());
    await button('Save').click();
    await button('Save').waitFor({ state: 'detached' });
    await button('Test again').click();
    await page.getByText('Everything works').waitFor(slow);
    await page.getByText('Connected').waitFor(slow);
    await forget('the-vault');
  });

  test('over SSH an unknown key is shown, and connects once it is trusted', async (context) => {
    const missing = ssh_missing();
    if (missing) return context.skip(missing);
    await ssh.start();
    await button('Add a host').click();
    await page.getByLabel('Name', { exact: true }).fill('cellar');
    await page.getByLabel('Endpoint').fill(ssh.endpoint());
    await page.getByRole('textbox', { name: 'Private key' }).fill(ssh.identity());
    await button('Add and test').click();
    await page.waitForURL('**/hosts/cellar');
    await page.getByText('It does not work').waitFor(slow);
    assert.equal(await page.getByTestId('fingerprint').innerText(), ssh.fingerprint());
    await examine(page, 'host-key');
    await button('Trust this key').click();
    await page.getByText('Everything works').waitFor(slow);
    await page.getByText('Connected').waitFor(slow);
    await page.getByText('Forwarded socket').waitFor();
  });

  test('when the key has changed everything stops, and the page says so', async (context) => {
    const missing = ssh_missing();
    if (missing) return context.skip(missing);
    await ssh.become_another();
    const changed = 'has changed: everything for it has stopped';
    await page.getByRole('alert').getByText(changed).waitFor(slow);
    await page.getByText('Unreachable').waitFor();
    await button('Test again').click();
    await steps().getByText(changed).waitFor(slow);
    await steps().getByText('or somebody stands in between').waitFor();
    assert.equal(await page.getByTestId('fingerprint').innerText(), ssh.fingerprint());
    await examine(page, 'host-key-changed');
    await button('Trust the new key').click();
    await button('I have found out why: trust it').click();
    await page.getByText('Everything works').waitFor(slow);
    await page.getByText('Connected').waitFor(slow);
    await forget('cellar');
  });
}

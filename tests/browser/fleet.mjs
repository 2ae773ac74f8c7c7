// The pages of hosts and what is on them, in the order in which the tests visit them.
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { button, go, page, test } from './story.mjs';
import { examine, walk } from './visitor.mjs';

const engine = process.env.GANTRY_TEST_ENGINE ?? 'unix:///var/run/docker.sock';
const project = 'browser-shop';
// Made by the programs that ran before; it has a shell.
const image = 'gantry/python:latest';
const slow = { timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), 'gantry-browser-'));
const row = (name) => page.getByRole('row').filter({ hasText: name });
const log = () => page.getByTestId('log');
const terminal = () => page.getByTestId('terminal');
const doctor = () => page.getByRole('region', { name: 'Doctor' });
const check = (id) => doctor().locator(`[data-check="${id}"]`);

export function test_fleet() {
  test('containers for the tests are made', async () => {
    await remove_all();
    for (const service of ['web', 'worker']) {
      await ask('POST', '/api/v1/hosts/local/containers', {
        name: `${project}-${service}-1`,
        image,
        command: ['sh', '-c', ticking],
        env: { DB_PASSWORD: 'wonderland', COLOUR: 'blue' },
        labels: {
          'com.docker.compose.project': project,
          'com.docker.compose.service': service,
          'com.docker.compose.container-number': '1',
          'com.docker.compose.oneoff': 'False',
        },
      });
    }
  });

  test('a host is added, and tested step by step', async () => {
    await go('Hosts');
    await row('local').getByText('Connected').waitFor();
    await button('Add a host').click();
    await page.getByText('TLS', { exact: true }).click();
    await page.getByRole('textbox', { name: 'Client key (PEM)' }).waitFor();
    await examine(page, 'host-form');
    await page.getByText('Socket', { exact: true }).click();
    await page.getByLabel('Name', { exact: true }).fill('annex');
    await page.getByLabel('Endpoint').fill(engine);
    await page.getByLabel('Groups, separated by commas').fill('spare');
    await page.getByLabel('Record all terminals on it').check();
    await button('Add and test').click();
    await page.waitForURL('**/hosts/annex');
    await page.getByText('Everything works').waitFor(slow);
    await page.getByText('Connected').waitFor();
    await examine(page, 'host');
    await go('Hosts');
    await row('annex').getByText('spare').waitFor();
    await examine(page, 'hosts');
  });

  test('whoever reads a list by the keyboard stays where they are', async () => {
    const link = page.getByRole('link', { name: 'annex', exact: true });
    await link.focus();
    for (const _ of [1, 2]) {
      await page.waitForResponse((answer) => answer.url().endsWith('/api/v1/hosts'));
    }
    await row('annex').waitFor();
    assert.equal(await link.evaluate((one) => one === document.activeElement), true);
    await walk(page, 'hosts');
  });

  test('the doctor examines a host, and tells what has changed since the last time', async () => {
    await page.getByRole('link', { name: 'local', exact: true }).click();
    await doctor().getByRole('button', { name: 'Examine' }).click();
    await check('engine').getByText('in order').waitFor(slow);
    await check('socket').getByText(engine.replace('unix://', '')).waitFor();
    await doctor().getByText(/^Not needed here: \d+$/).click();
    await examine(page, 'doctor');
    await walk(page, 'doctor');
    // A fresh answer is given again, for 10 s.
    const told = doctor().getByText(/^(Nothing has changed since|Since) /);
    for (let asked = 0; asked < 30 && !await told.count(); ++asked) {
      await button('Examine again').click();
      await page.waitForTimeout(1000);
    }
    await told.waitFor(slow);
    const changes = doctor().locator('[data-change]');
    const changed = await changes.evaluateAll((all) => all.map((one) => one.dataset.change));
    // Which container has the largest log is another one as they write.
    assert.deepEqual(changed.filter((id) => id !== 'logs'), []);
    await go('Hosts');
  });

  test('a host that does not answer is told with the step that failed', async () => {
    await button('Add a host').click();
    await page.getByText('Socket', { exact: true }).click();
    await page.getByLabel('Name', { exact: true }).fill('gone');
    await page.getByLabel('Endpoint').fill(`unix://${await dead_socket()}`);
    await button('Add and test').click();
    await page.getByText('It does not work').waitFor(slow);
    await page.getByRole('listitem').getByText('What helps').waitFor();
  });

  test('the doctor names the cause, and what helps can be copied', async () => {
    await page.getByRole('link', { name: 'Ask the doctor of gone' }).first().click();
    await page.waitForURL('**/hosts/gone#doctor');
    await check('engine').getByText('The cause').waitFor(slow);
    await doctor().getByText('Docker can not be used').waitFor();
    // The link leads here once more.
    const again = page.waitForResponse((answer) => answer.url().endsWith('/hosts/gone/doctor'));
    await page.getByRole('link', { name: 'Ask the doctor of gone' }).first().click();
    await again;
    await doctor().getByText('Docker can not be used').waitFor();
    // It says so for a moment only.
    const copied = check('engine').getByText('Copied').waitFor();
    await check('engine').getByRole('button', { name: /^Copy command: \S/ }).first().click();
    await copied;
    await check('engine').getByText('Copied').waitFor({ state: 'detached' });
    await examine(page, 'doctor-cause');
    await walk(page, 'doctor-cause');
    // What was found out before says nothing of a host that is not used.
    await button('Disable').click();
    await button('Disconnect from it').click();
    await doctor().getByRole('button', { name: 'Examine', exact: true }).waitFor();
    await check('engine').waitFor({ state: 'detached' });
    await button('Remove').click();
    await button('Forget it, with its secrets').click();
    await page.waitForURL('**/hosts');
    await row('gone').waitFor({ state: 'detached' });
    rmSync(folder, { recursive: true, force: true });
  });
}

export function test_containers() {
  test('containers of all hosts are filtered by what they are and where', async () => {
    await go('Containers');
    await page.getByLabel('Filter by name, image or project').fill(`${project}-web`);
    await row(`${project}-worker-1`).first().waitFor({ state: 'detached' });
    // The same engine stands behind both hosts.
    await row('annex').getByRole('link', { name: `${project}-web-1` }).waitFor();
    await page.getByRole('group', { name: 'Host' }).getByText('local', { exact: true }).click();
    await row('annex').first().waitFor({ state: 'detached' });
    await page.getByRole('group', { name: 'State' }).getByText('exited').click();
    await page.getByText('No container matches.').waitFor();
    await button('Clear the filter').click();
    await page.getByRole('group', { name: 'Project' }).getByText(project, { exact: true }).click();
    await row(`${project}-worker-1`).first().waitFor();
    await examine(page, 'containers');
  });

  test('what reaches out of a container is explained, and confirmed by its name', async () => {
    await button('Create').click();
    await page.getByLabel('Image', { exact: true }).fill(image);
    await page.getByLabel('Name', { exact: true }).fill(`${project}-reach`);
    await page.getByLabel('Volumes, name:/path[:ro], one per line').fill('/:/host:ro');
    await page.getByText('confirm each danger by its name').waitFor();
    await page.getByText('Reach beyond the container').click();
    await page.getByLabel('Start it at once').uncheck();
    await examine(page, 'create');
    await walk(page, 'create');
    const dangers = ['bind', 'host_system', 'docker_socket'];
    for (const danger of dangers) {
      // One that is not confirmed keeps the form here.
      await button('Create container').click();
      await page.getByRole('checkbox', { name: new RegExp(`^${danger} `) }).check();
    }
    assert.equal(await page.getByRole('checkbox', { name: /^privileged / }).count(), 0);
    await button('Create container').click();
    await page.waitForURL(/\/containers\/local\/[0-9a-f]{64}$/, slow);
    await page.getByText('created').first().waitFor();
    // Its page would ask for what is gone.
    await go('Containers');
    await ask('DELETE', `/api/v1/hosts/local/containers/${project}-reach`);
    await page.getByRole('group', { name: 'Project' }).getByText(project, { exact: true }).click();
    await row(`${project}-worker-1`).first().waitFor();
  });

  test('several containers are acted on at once, each with its result', async () => {
    await page.getByLabel(`Choose ${project}-web-1 on local`).check();
    await page.getByLabel(`Choose ${project}-worker-1 on local`).check();
    await page.getByText('2 chosen').waitFor();
    await button('Pause').click();
    await page.getByText('Pause: 2 of 2 done').waitFor(slow);
    await page.getByLabel(`Choose ${project}-web-1 on local`).check();
    await page.getByLabel(`Choose ${project}-worker-1 on local`).check();
    await button('Unpause').click();
    await page.getByText('Unpause: 2 of 2 done').waitFor(slow);
    await button('Close').click();
  });

  test('a container is told in full, and secrets only when they are asked for', async () => {
    await row('local').getByRole('link', { name: `${project}-web-1` }).click();
    await page.getByText('COLOUR').waitFor();
    assert.equal((await page.content()).includes('wonderland'), false);
    await examine(page, 'container');
    await button('Show secrets').click();
    await button('Show them, and log that I did').click();
    await page.getByText('wonderland').waitFor();
    await button('Hide').click();
    await page.getByText('wonderland').waitFor({ state: 'detached' });
  });

  test('a log is followed, searched and paused', async () => {
    await page.getByRole('tab', { name: 'Log' }).click();
    await log().getByText('tick 1', { exact: false }).first().waitFor(slow);
    await page.getByText('Following').waitFor();
    // Of what is not in sight any more the browser has no inner text.
    assert.equal(await log().locator('.front-2').first().textContent(), 'tick');
    const seen = await log().getByText('tick').count();
    await page.waitForFunction(
      (before) => document.querySelectorAll('[data-testid="log"] p').length > before,
      seen,
      slow,
    );
    await page.getByLabel('Times').check();
    await log().locator('time').first().waitFor();
    await examine(page, 'logs');
    await page.getByLabel('Search in the lines').fill('no such line');
    await page.getByText('No line matches.').waitFor();
    await page.getByLabel('Search in the lines').fill('');
    await page.getByRole('tabpanel').getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: /^Go on/ }).click();
  });

  test('what a container uses is drawn, and what runs in it is listed', async () => {
    await page.getByRole('tab', { name: 'Usage' }).click();
    await page.getByRole('img', { name: /^Memory: / }).waitFor(slow);
    await examine(page, 'stats');
    await page.getByRole('tab', { name: 'Processes' }).click();
    await page.getByRole('cell', { name: /tick/ }).first().waitFor(slow);
    await page.getByRole('tab', { name: 'Changes' }).click();
    await page.getByText("What differs from the image in the container's own files.").waitFor();
  });

  test('a terminal takes what is typed, shows what is written and survives a reload', async () => {
    await page.getByRole('tab', { name: 'Terminal' }).click();
    await button('Open a terminal').click();
    await page.getByText('Open', { exact: true }).waitFor(slow);
    await page.keyboard.type('echo sum $((40+2))\n');
    await terminal().getByText('sum 42').waitFor(slow);
    // True colours and titles: neither may meet the policy or the page.
    await page.keyboard.type("printf '\\033[38;2;200;80;0mwarm\\033[0m\\033]0;evil\\007\\n'\n");
    await terminal().getByText('warm', { exact: true }).waitFor();
    assert.equal((await page.title()).includes('evil'), false);
    await examine(page, 'terminal');
    await page.reload();
    await terminal().getByText('sum 42').waitFor(slow);
    await terminal().click();
    await page.keyboard.type('exit 3\n');
    await page.getByText('The shell has ended with exit code 3').waitFor(slow);
    await button('Another terminal').click();
    await button('Open a terminal').waitFor();
  });

  test('what a recorded terminal showed is played again', async () => {
    const { id } = await ask('POST', `/api/v1/hosts/annex/containers/${project}-web-1/terminals`, {
      shell: 'sh',
      arguments: ['-c', 'echo play $((40+3)); sleep 1'],
    });
    await until('the terminal has ended', async () => {
      const { items } = await ask('GET', '/api/v1/recordings');
      return items.some(({ terminal, ended_at }) => terminal === id && ended_at);
    });
    await go('Recordings');
    await row('annex').getByRole('link', { name: `${project}-web-1` }).waitFor();
    await examine(page, 'recordings');
    await row('annex').getByRole('link', { name: `${project}-web-1` }).click();
    await page.getByTestId('player').getByText('play 43').waitFor(slow);
    await examine(page, 'recording');
  });

  test('a project is restarted as a whole, and its log is one', async () => {
    await go('Projects');
    await row(project).first().waitFor();
    await examine(page, 'projects');
    await row('local').getByRole('link', { name: project }).click();
    await log().getByText('tick').first().waitFor(slow);
    await page.getByText(`${project}-worker-1`).first().waitFor();
    await button(`Restart ${project}`).click();
    const restarted = page.waitForResponse((answer) => answer.url().endsWith('/restart'), slow);
    await button('Restart the whole').click();
    await restarted;
    await page.getByText('Working, in the order of dependencies').waitFor({
      state: 'detached',
      ...slow,
    });
    await page.getByText(/^Up (Less than a|\d+) second/).first().waitFor(slow);
    await examine(page, 'project');
  });
}

export function test_stores() {
  test('events appear as they happen', async () => {
    await go('Events');
    // Who begins to follow is told what happens from then on: done until it has been told.
    await until('an event', async () => {
      await ask('POST', '/api/v1/hosts/local/volumes', { name: `${project}-data` });
      const told = row(`${project}-data`).first().waitFor({ timeout: 2_000 });
      if (await told.then(() => true, () => false)) return true;
      await ask('DELETE', `/api/v1/hosts/local/volumes/${project}-data`);
      return false;
    });
    await examine(page, 'events');
  });

  test('volumes are listed, and a cleaning is shown before it happens', async () => {
    await go('Volumes');
    await page.getByLabel('Host', { exact: true }).selectOption('local');
    await page.getByLabel('Filter').fill(project);
    await row(`${project}-data`).waitFor();
    await button('Clean up').click();
    await page.getByText(/This would go|Nothing would go/).waitFor(slow);
    await examine(page, 'volumes');
    await button('Close').click();
    await button(`Delete ${project}-data`).click();
    await button('Delete for good').click();
    await row(`${project}-data`).waitFor({ state: 'detached' });
  });

  test('networks and the use of the disk are told', async () => {
    await go('Networks');
    await row('bridge').first().waitFor();
    await examine(page, 'networks');
    await go('Disk usage');
    await page.getByRole('region', { name: 'Images' }).getByText(/iB/).first().waitFor(slow);
    await examine(page, 'disk');
  });

  test('what the tests made is removed', async () => {
    await go('Containers');
    await page.getByLabel('Filter by name, image or project').fill(project);
    await page.getByLabel(`Choose ${project}-web-1 on local`).check();
    await button('Remove').click();
    await button('Remove 1 for good').click();
    // It runs: that takes more than a word.
    await page.getByText('Remove: 0 of 1 done').waitFor(slow);
    await button('Close').click();
    await button('Kill').click();
    await button('Kill 1').click();
    await page.getByText('Kill: 1 of 1 done').waitFor(slow);
    await button('Close').click();
    await remove_all();
    await ask('DELETE', '/api/v1/hosts/annex');
  });
}

const ticking =
  "i=0; while sleep 0.5; do i=$((i+1)); printf '\\033[32mtick\\033[0m %s\\n' $i; done";

async function remove_all() {
  const { items } = await ask('GET', `/api/v1/containers?host=local&project=${project}`);
  for (const { id } of items) {
    await ask('DELETE', `/api/v1/hosts/local/containers/${id}?force=true`);
  }
  const volumes = await ask('GET', `/api/v1/hosts/local/volumes?q=${project}`);
  for (const { name } of volumes.items) {
    await ask('DELETE', `/api/v1/hosts/local/volumes/${name}`);
  }
}

/** A socket at which nobody listens any more. What helps with it does not depend on what other
 * engines this machine has. */
async function dead_socket() {
  const [path, dead] = ['engine', 'dead'].map((name) => join(folder, `${name}.sock`));
  const server = net.createServer();
  await new Promise((done) => server.listen(path, done));
  renameSync(path, dead);  // what is closed is removed
  await new Promise((done) => server.close(done));
  return dead;
}

/** Looks again until it is so. */
async function until(what, look) {
  const deadline = Date.now() + slow.timeout;
  while (!(await look())) {
    assert.ok(Date.now() < deadline, `${what}: not within ${slow.timeout} ms`);
    await page.waitForTimeout(100);
  }
}

/** Asks the API as the page does. */
async function ask(method, path, body) {
  const { status, text } = await page.evaluate(
    async ([method, path, body]) => {
      const headers = body ? { 'Content-Type': 'application/json' } : {};
      const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
      return { status: answer.status, text: await answer.text() };
    },
    [method, path, body],
  );
  assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

// Compose in its two forms, played by stand-ins that answer `version` and tell what they are told.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, test } from 'node:test';
import { engine, new_user, room, root, Session } from './place.mjs';

const tools = `${room}/tools`;

before(async () => {
  await engine.ready();
  root(`mkdir -p ${tools}
    for tool in docker gantry sudo; do ln -sf "$(command -v $tool)" ${tools}/$tool; done`);
});

/** Somebody who has only these tools, and Compose in these forms. */
function with_compose(...forms) {
  const user = new_user('docker');
  const home = `${room}/homes/${user}`;
  root(`mkdir -p ${home}/bin ${home}/.docker/cli-plugins
    printf '#!/bin/sh\\n[ "$1" = version ] && echo docker-compose version 1.29.2 || echo old "$@"\\n' >${home}/bin/old
    cat >${home}/bin/new <<'END'
#!/bin/sh
case "$1" in
docker-cli-plugin-metadata) echo '{"SchemaVersion": "0.1.0", "Vendor": "x", "Version": "2.40.0"}' ;;
*) shift; [ "$1" = version ] && echo 'Docker Compose version v2.40.0' || echo new "$@" ;;
esac
END
    chmod +x ${home}/bin/*`);
  if (forms.includes('v1')) root(`mv ${home}/bin/old ${home}/bin/docker-compose`);
  if (forms.includes('v2')) root(`mv ${home}/bin/new ${home}/.docker/cli-plugins/docker-compose`);
  root(`chown -R ${user}: ${home}`);
  return new Session(user, { PATH: `${home}/bin:${tools}` });
}

const fragment_of = (found) => found.commands('compose').find((command) => command.includes('compose version'));

test('version 1 alone is named, and the fragment runs it', async () => {
  const shell = with_compose('v1');
  const found = (await shell.doctor()).passes();
  assert.match(found.check('compose').summary, /'docker-compose' 1\.29\.2 alone/);
  assert.match((await shell.type(fragment_of(found))).out, /^old up -d/);
});

test('version 2 alone is named, and the same fragment runs it', async () => {
  const shell = with_compose('v2');
  const found = (await shell.doctor()).passes();
  assert.match(found.check('compose').summary, /'docker compose' 2\.40\.0/);
  assert.match((await shell.type(fragment_of(found))).out, /^new up -d/);
});

test('of both the newer one is run', async () => {
  const shell = with_compose('v1', 'v2');
  const found = (await shell.doctor()).passes();
  assert.match(found.check('compose').summary, /2\.40\.0 and 'docker-compose' 1\.29\.2/);
  assert.equal(found.check('compose').state, 'ok');
});

test('where neither is there, that is said, and which package has one', async () => {
  const shell = with_compose();
  const found = (await shell.doctor()).passes();
  assert.equal(found.check('compose').state, 'note');
  assert.match(found.check('compose').summary, /neither 'docker compose' nor 'docker-compose' is here/);
  const [install] = found.commands('compose');
  assert.equal(install, 'sudo apt install docker-compose');
  // No way leads from here to packages. Where the lists of apt are here they know it.
  const known = execFileSync('apt-cache', ['policy', 'docker-compose'], { encoding: 'utf8' });
  if (known !== '') assert.match(known, /Candidate: [^(]/);
  await shell.follow('/usr/bin/mv ~/bin/old ~/bin/docker-compose');
  assert.match((await shell.doctor()).passes().check('compose').summary, /'docker-compose' 1\.29\.2 alone/);
});

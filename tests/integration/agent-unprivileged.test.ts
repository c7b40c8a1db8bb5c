import { access, chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { newBackupId } from '../../src/repository/names.ts';
import { clientOf, ending, makeAgentHome } from '../support/agents.ts';
import { startChild, waitUntil } from '../support/child.ts';
import { startMariadb } from '../support/servers.ts';

const setpriv = '/usr/bin/setpriv';
const isPossible =
  process.geteuid?.() === 0 &&
  (await access(setpriv).then(
    () => true,
    () => false,
  ));

/** Neither root nor the server's user. */
const user = 65533;
/** What the systemd unit gives to the agent. */
const capability = '+dac_read_search';
const signal = new AbortController().signal;

test('an agent of its own user, who may only read, takes a backup and drills it', async ({ skip }) => {
  skip(!isPossible, `becoming another user takes root and ${setpriv}`);
  await using server = await startMariadb();
  await server.query('CREATE DATABASE app; USE app; CREATE TABLE t SELECT seq AS id FROM seq_1_to_5000');
  expect((await stat(join(server.dataDirectory, 'app'))).mode & 0o007).toBe(0);
  await using home = await makeAgentHome({ server });
  // As packages have them: to be found by everyone.
  const bin = join(home.directory, 'bin');
  await mkdir(bin);
  const backupTool = join(bin, 'mariadb-backup');
  await writeFile(backupTool, `#!/bin/sh\nexec ${join(server.bin, 'mariadb-backup')} "$@"\n`);
  await chmod(backupTool, 0o755);
  Object.assign(home.config, { toolPath: `${bin}:/usr/bin:/bin` });
  const [file, ready] = [join(home.directory, 'agent.json'), join(home.state, 'ready')];
  await mkdir(home.state);
  await writeFile(file, JSON.stringify(home.config));
  await chmod(file, 0o644);
  for (const path of [home.state, home.store, home.restores, home.keyFile]) await chown(path, user, user);
  const become = [
    `--reuid=${user}`,
    `--regid=${user}`,
    '--clear-groups',
    '--no-new-privs',
    '--securebits=+no_setuid_fixup',
  ];
  const only = [`--inh-caps=-all,${capability}`, `--ambient-caps=${capability}`, `--bounding-set=-all,${capability}`];
  const fixture = new URL('../fixtures/agent.ts', import.meta.url).pathname;
  const child = startChild(setpriv, [...become, ...only, process.execPath, fixture, file, ready]);
  await using _ = { [Symbol.asyncDispose]: async () => child.end('SIGKILL') };
  await waitUntil(async () => (await readFile(ready, 'utf8').catch(() => '')).endsWith('\n'), {
    child,
    what: 'an agent',
  });
  const [url = '', fingerprint = ''] = (await readFile(ready, 'utf8')).trim().split(' ');
  using client = await clientOf(home, { url, fingerprint });
  const backup = newBackupId(systemClock.now());
  await client.start('backup', backup, { body: { attempt: 1, name: 'n', service: 's', location: 'main' }, signal });
  expect((await ending(client, 'backup', backup)).failure).toBeUndefined();
  await client.start('drill', 'proof', { body: { attempt: 1, backup, location: 'main' }, signal });
  expect(await ending(client, 'drill', 'proof')).toMatchObject({ state: 'Succeeded' });
  // The server's user is another one, to whom nothing can be given: that is said before, and is no reason to fail.
  const target = { directory: join(home.restores, 'copy') };
  const wish = { attempt: 1, backup, location: 'main', target };
  const { isGo, findings } = await client.preflight({ body: { kind: 'restore', ...wish }, signal });
  expect(isGo).toBe(true);
  expect(findings.find(({ code }) => code === 'files-not-given')?.nextStep).toContain('chown -R');
  await client.start('restore', 'copy', { body: wish, signal });
  expect(await ending(client, 'restore', 'copy')).toMatchObject({ state: 'Succeeded' });
  expect((await stat(join(target.directory, 'app'))).uid).toBe(user);
});

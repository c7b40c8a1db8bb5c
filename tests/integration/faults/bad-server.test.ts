import { spawnSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliRun, failed, holdfast } from '../../support/cli.ts';
import { listedStates, type ProtectedServer, secrets, startProtectedServer } from '../../support/protected-server.ts';

let server: ProtectedServer;
let repository: readonly string[];

beforeAll(async () => {
  server = await startProtectedServer();
  repository = await server.newRepository('store');
});
afterAll(() => server[Symbol.asyncDispose]());

async function expectRefusal(run: CliRun, refusal: { code: number; message: RegExp; next: RegExp }): Promise<void> {
  expect(failed(run), run.stderr).toEqual({
    code: refusal.code,
    message: expect.stringMatching(refusal.message),
    next: expect.stringMatching(refusal.next),
  });
  for (const secret of Object.values(secrets)) expect(run.stdout + run.stderr).not.toContain(secret);
  expect(await listedStates(repository)).not.toContain('sealed');
}

describe('a backup is refused, and the message names cause and next step, for', () => {
  it('a wrong database password', async () => {
    const run = await server.backUp(repository, '--password-file', server.secretFile('wrong'));
    await expectRefusal(run, {
      code: 4,
      message: /^Cannot log in .* refused the user: Access denied/,
      next: /password/,
    });
  });

  it('a server that is not there', async () => {
    const run = await server.backUp(repository, '--socket', '/nonexistent/s.sock');
    await expectRefusal(run, {
      code: 1,
      message: /^Cannot reach the database at socket \/nonexistent/,
      next: /server runs/,
    });
  });

  it.each(['RELOAD', 'PROCESS', 'BINLOG MONITOR'])('a user without %s', async (privilege) => {
    await server.database.query(`REVOKE ${privilege} ON *.* FROM bk@localhost`);
    try {
      await expectRefusal(await server.backUp(repository), {
        code: 4,
        message: new RegExp(`lacks privileges that a backup needs: ${privilege} on`),
        next: new RegExp(`GRANT ${privilege} ON \\*\\.\\* TO 'bk'@'localhost'`),
      });
    } finally {
      await server.database.query(`GRANT ${privilege} ON *.* TO bk@localhost`);
    }
  });

  it('a user without any privilege: all are named at once', async () => {
    await server.database.query('REVOKE ALL PRIVILEGES, GRANT OPTION FROM bk@localhost');
    try {
      await expectRefusal(await server.backUp(repository), {
        code: 4,
        message: /RELOAD on \*\.\*, PROCESS on \*\.\*, BINLOG MONITOR on/,
        next: /GRANT RELOAD, PROCESS, BINLOG MONITOR ON \*\.\* TO 'bk'@'localhost'/,
      });
    } finally {
      await server.database.query('GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO bk@localhost');
    }
  });

  it('a tool that is not on the PATH', async () => {
    const args = ['backup', '--retries', '0', ...repository, ...server.serverArguments];
    const run = await holdfast(args, { env: { PATH: '/nonexistent' } });
    await expectRefusal(run, { code: 1, message: /no tool fits MariaDB 10\.11.*found none/, next: /mariadb-backup/ });
  });

  it('a tool that is too old', async () => {
    const bin = join(server.folder, 'old-tool');
    await mkdir(bin);
    const says = 'mariadb-backup based on MariaDB server 10.4.34-MariaDB Linux (x86_64)';
    await writeFile(join(bin, 'mariadb-backup'), `#!/bin/sh\necho '${says}' >&2\n`, { mode: 0o755 });
    await symlink('/bin/sh', join(bin, 'sh'));
    const args = ['backup', '--retries', '0', ...repository, ...server.serverArguments];
    const run = await holdfast(args, { env: { PATH: bin } });
    await expectRefusal(run, { code: 1, message: /no tool fits MariaDB 10\.11.*10\.4\.34/, next: /10\.11/ });
  });

  const withoutOverride = ['--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-all'];
  const canDrop = spawnSync('setpriv', [...withoutOverride, 'true']).status === 0;
  it('a data directory that cannot be read', async ({ skip }) => {
    skip(!canDrop, 'only root can give up the right to read everything');
    await chmod(server.database.dataDirectory, 0o700);
    const program = new URL('../../../src/cli.ts', import.meta.url).pathname;
    const args = [program, 'backup', '--retries', '0', ...repository, ...server.serverArguments];
    const ended = spawnSync('setpriv', [...withoutOverride, process.execPath, ...args], { encoding: 'utf8' });
    const run = { ...ended, code: ended.status };
    await expectRefusal(run, {
      code: 1,
      message: /data directory .* cannot be read: EACCES/,
      next: /as the user of the/,
    });
  });

  it('an agent that cannot be reached', async () => {
    const url = 'https://127.0.0.1:1';
    const token = join(server.folder, 'token');
    await writeFile(token, 'hush-token-0123456789abcdef0123456789abcdef', { mode: 0o600 });
    const run = await holdfast(['backup', '--agent', url, '--token-file', token, '--fingerprint', 'ab'.repeat(32)]);
    await expectRefusal(run, { code: 1, message: new RegExp(`^Cannot reach the agent.*${url}`), next: /agent/ });
    expect(run.stderr).not.toContain('hush-token');
  });

  it('a wrong passphrase', async () => {
    const store = ['-r', join(server.folder, 'locked'), '--passphrase-file'];
    await mkdir(join(server.folder, 'locked'));
    expect(await holdfast(['repository', 'init', ...store, server.secretFile('passphrase')])).toMatchObject({
      code: 0,
    });
    const run = await server.backUp([...store, server.secretFile('wrong')]);
    await expectRefusal(run, {
      code: 4,
      message: /^Cannot open the repository as the passphrase/,
      next: /the one this repository/,
    });
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../scripts/setup/run.ts';
import { startScratchServer } from '../../src/core/scratch-server.ts';
import type { Vendor } from '../../src/engine/engine.ts';
import { Sql } from '../../src/engine/sql.ts';
import { documentsOf, failed, holdfast } from '../support/cli.ts';
import { newDataDirectory } from '../support/data-directory.ts';
import { mysqlOf } from '../support/mysql-series.ts';
import { type ProtectedServer, startProtectedServer } from '../support/protected-server.ts';
import { serverUser } from '../support/server-user.ts';
import { smallDisk } from '../support/tmpfs.ts';

/** What a drill lays at the door of the backup, and what at that of its host. */
const mysql = mysqlOf('9.7');
const servers: readonly [Vendor, string, string][] = [
  ['MariaDB', '10.11', join(process.env['HOLDFAST_TEST_MARIADB_10_11'] ?? '', 'mariadbd')],
  ['MariaDB', 'of Debian unstable', join(process.env['HOLDFAST_TEST_MARIADB_SID'] ?? '', 'mariadbd')],
  ['MySQL', '9.7', join(mysql.whyNot === undefined ? mysql.bin : '', 'mysqld')],
];

/** Fills a file system to its last byte. */
const fill = (directory: string): string => `cat /dev/zero 2>/dev/null > '${directory}/filler' || true`;

describe.each(servers)('a server of %s %s', (vendor, series, program) => {
  test.for([
    ['on a full disk', 'target-full', fill],
    [
      'that is refused its files',
      'scratch-server-refused',
      (folder: string) => `chown -R root '${folder}'/data/*; chmod 600 '${folder}'/data/ib*`,
    ],
  ] as const)('%s ends with %s', async ([, code, spoil], { skip }) => {
    if (!program.startsWith('/')) skip(`no ${vendor} ${series} was found`);
    using disk = smallDisk('400m', skip);
    await serverUser().own(disk.path);
    const bin = join(program, '..');
    const dataDirectory = await newDataDirectory({ bin, into: join(disk.path, 'data'), user: serverUser() });
    await run('sh', ['-c', spoil(disk.path)]);
    const starting = startScratchServer({
      program,
      vendor,
      dataDirectory,
      variables: {},
      connect: async (socket, options) => Sql.connect({ socket, user: 'root' }, options),
      signal: new AbortController().signal,
    });
    await expect(starting).rejects.toMatchObject({ code, nextStep: expect.stringMatching(/\.$/) });
  });
});

describe('a drill', () => {
  const stack = new AsyncDisposableStack();
  let source: ProtectedServer;
  let repository: readonly string[];

  beforeAll(async () => {
    source = stack.use(await startProtectedServer());
    repository = await source.newRepository('repository');
    expect(await source.backUp(repository)).toMatchObject({ code: 0 });
  });
  afterAll(() => stack.disposeAsync());

  /** Before the server, or instead of it, these commands of a shell. @returns what it said, and what the backup is known for */
  async function drill(before: string, ...more: readonly string[]) {
    const program = join(source.folder, 'server');
    const real = join(source.database.bin, 'mariadbd');
    await writeFile(program, `#!/bin/sh\n${before}\nexec '${real}' "$@"\n`, { mode: 0o755 });
    const owner = process.getuid?.() === 0 ? ['--owner', 'nobody'] : [];
    const ended = failed(
      await holdfast(['drill', 'latest', '--server-program', program, ...owner, ...more, ...repository]),
    );
    const [listed] = documentsOf(await holdfast(['repository', 'list', '--json', ...repository]));
    return { ...ended, proof: listed?.['proof'] };
  }

  test('whose server is killed says nothing against the backup', async () => {
    expect(await drill('kill -KILL $$')).toMatchObject({
      code: 1,
      message: expect.stringMatching(/ended from outside: .* SIGKILL$/),
      next: expect.stringContaining('memory'),
      proof: { level: 'sealed' },
    });
  });

  test('whose server finds the disk full says nothing against the backup', async ({ skip }) => {
    using disk = smallDisk('400m', skip);
    expect(await drill(fill(disk.path), '--directory', join(disk.path, 'drills'))).toMatchObject({
      code: 1,
      message: expect.stringContaining('quota is full'),
      next: expect.stringMatching(/^Make room/),
      proof: { level: 'sealed' },
    });
  });

  test('whose server cannot be run says nothing against the backup', async () => {
    expect(await drill('exec /nonexistent')).toMatchObject({
      code: 1,
      message: expect.stringContaining('could not be run'),
      proof: { level: 'sealed' },
    });
  });

  test('whose server ends by itself says so of the backup', async () => {
    expect(await drill('exit 1')).toMatchObject({ code: 5, proof: { level: 'failed' } });
  });
});

import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureMariadb } from '../../scripts/setup/mariadb.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openRepository } from '../../src/repository/repository.ts';
import type { Unlock } from '../../src/repository/slots.ts';
import { parseLocation } from '../../src/storage/location.ts';
import { openStorage, type StorageSecrets } from '../../src/storage/open-storage.ts';
import { type CliOptions, type CliRun, documentsOf, failed, holdfast } from '../support/cli.ts';
import { randomSource, someBytes } from '../support/pieces.ts';
import { backUp, neverAborted, startAttempt } from '../support/repositories.ts';
import { startVersitygw } from '../support/servers.ts';

const passphrase = 'a passphrase for tests';
/** Opens in no time, where a passphrase costs each run a third of a second. */
const keyFile = Buffer.alloc(32, 7);
const cleanUp = new AsyncDisposableStack();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-cli-'));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'pass'), `${passphrase}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'wrong'), 'another passphrase\n', { mode: 0o600 });
  await writeFile(join(folder, 'key'), keyFile, { mode: 0o600 });
});
afterAll(() => cleanUp.disposeAsync());

const seed = Math.floor(Math.random() * 2 ** 32);
const random = randomSource(seed);
const files = new Map([
  ['app/t1.ibd', someBytes(random, 1_500_000)],
  ['app/empty.frm', Buffer.alloc(0)],
  ['ibdata1', someBytes(random, 400_001)],
]);

/** Two backups, and one that was begun; returns the ids of all three. */
async function fill(location: string, { unlock, secrets = {} }: Pick<Place, 'unlock' | 'secrets'>): Promise<string[]> {
  await using storage = await openStorage(parseLocation(location), { secrets });
  const repository = await openRepository(storage, { clock: systemClock, signal: neverAborted, unlock });
  const first = await backUp(repository, { files, random });
  files.get('ibdata1')?.fill(9, 0, 20_000);
  const second = await backUp(repository, { files, random, service: 'other' });
  const begun = await startAttempt(repository, {});
  return [first.sealed.backup, second.sealed.backup, begun.name.backup];
}

interface Place {
  readonly location: string;
  readonly options: CliOptions;
  readonly unlock: Unlock;
  readonly secrets?: StorageSecrets;
}

async function directoryPlace(): Promise<Place> {
  const location = join(folder, 'repository');
  const env = { HOLDFAST_REPOSITORY: location, HOLDFAST_KEY_FILE: join(folder, 'key') };
  return { location, options: { env }, unlock: { kind: 'key-file', bytes: keyFile } };
}

async function bucketPlace(): Promise<Place> {
  const server = cleanUp.use(await startVersitygw());
  await server.createBucket('cli');
  const location = `s3://cli/some/folder?endpoint=${server.endpoint}&region=${server.region}`;
  const env = {
    HOLDFAST_REPOSITORY: location,
    HOLDFAST_PASSPHRASE: passphrase,
    HOLDFAST_S3_ACCESS_KEY_ID: server.accessKey,
    HOLDFAST_S3_SECRET_ACCESS_KEY: server.secretKey,
  };
  const secrets = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey };
  return { location, options: { env }, unlock: { kind: 'passphrase', passphrase }, secrets };
}

describe.each([
  ['a directory', directoryPlace],
  ['a bucket', bucketPlace],
] as const)('in %s', (place, makePlace) => {
  let run: (...args: string[]) => Promise<CliRun>;
  let ids: string[];

  beforeAll(async () => {
    const made = await makePlace();
    run = async (...args) => holdfast(['repository', ...args], made.options);
    const initialised = await run('init', '--json');
    expect(initialised.stderr).toBe('');
    expect(documentsOf(initialised)).toMatchObject([{ type: 'result', isEncrypted: true, conditionalPut: true }]);
    expect(await run('list')).toMatchObject({ code: 0, stdout: 'No backup is here yet.\n' });
    ids = await fill(made.location, made);
  });

  test('a second repository is refused', async () => {
    expect(failed(await run('init'))).toMatchObject({
      code: 6,
      message: expect.stringContaining('there is one already'),
    });
  });

  test('list shows what is there, as a table and as JSON', async () => {
    const table = await run('list');
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/^ID +NAME +SERVICE +SERVER +CREATED +LOGICAL +STORED +KNOWN\n/);
    expect(table.stdout).toMatch(/ 1\.90 MB .* sealed just now\n/);
    expect(table.stdout).toMatch(/being made or abandoned, begun just now\n/);
    const documents = documentsOf(await run('list', '--json'));
    expect(documents.map(({ type, id, state }) => [type, id, state])).toEqual([
      ['backup', ids[0], 'sealed'],
      ['backup', ids[1], 'sealed'],
      ['backup', ids[2], 'unsettled'],
    ]);
    expect(documentsOf(await run('list', '--json', '--service', 'other'))).toHaveLength(1);
  });

  test('show tells all of one backup', async () => {
    const shown = await run('show', 'latest', '--log', '--json');
    expect(documentsOf(shown)).toMatchObject([
      {
        type: 'result',
        backup: ids[1],
        parent: ids[0],
        files: 3,
        log: 'completed OK!\n',
        segments: { segments: expect.any(Number) },
      },
    ]);
    const text = await run('show', 'latest', '--service', 'db');
    expect(text.stdout).toContain(`Id             ${ids[0]}\n`);
  });

  test('check reads the data back, and says so in the repository', async () => {
    const checked = await run('check', '--read-data', '--json');
    expect(checked.code).toBe(0);
    expect(documentsOf(checked).filter(({ type }) => type === 'backup')).toMatchObject([
      { id: ids[0], isGood: true, bytes: expect.any(Number) },
      { id: ids[1], isGood: true },
    ]);
    expect(documentsOf(await run('show', ids[0] ?? '', '--json'))).toMatchObject([{ proof: { level: 'checked' } }]);
  });

  test('export gives back every file, through mbstream', async () => {
    const { bin } = await ensureMariadb();
    const stream = join(folder, `${ids[0]}.xbstream`);
    expect(await run('export', ids[1] ?? '', '--output', stream)).toMatchObject({ code: 0 });
    expect(failed(await run('export', 'latest', '-o', stream))).toMatchObject({ code: 6 });
    const into = join(folder, `extracted-${ids[0]}`);
    await mkdir(into);
    execFileSync(join(bin, 'mbstream'), ['-x', '-C', into], { input: await readFile(stream) });
    for (const [path, bytes] of files)
      expect((await readFile(join(into, path))).equals(bytes), `${path}, seed ${seed}`).toBe(true);
  });

  // The same in any store, and starting the program takes longer with a bucket.
  if (place === 'a directory') marking();

  function marking(): void {
    test('pinned backups stay; others are deleted and pruned a day later', async () => {
      const id = ids[0] ?? '';
      expect(await run('pin', id, '--reason', 'before the upgrade')).toMatchObject({ code: 0 });
      expect(failed(await run('delete', id, '--yes'))).toMatchObject({
        code: 6,
        next: expect.stringContaining('unpin'),
      });
      expect(await run('unpin', id)).toMatchObject({ code: 0 });
      expect(failed(await run('delete', id))).toMatchObject({ code: 2, next: 'Add --yes if this is what you want.' });
      const deleted = documentsOf(await run('delete', id, '--yes', '--json'));
      expect(deleted).toMatchObject([{ type: 'result', deleted: [id], freedBytes: expect.any(Number) }]);
      // The newer one leans on most of its segments.
      expect(deleted[0]?.['freedBytes']).toBeLessThan(700_000);
      expect(failed(await run('show', id))).toMatchObject({ code: 3 });
      const pruned = documentsOf(await run('prune', '--json')).find(({ type }) => type === 'result');
      expect(pruned).toMatchObject({ objects: 0, waiting: [{ backup: id }] });
    });

    test('what was begun is given up, what is complete is not', async () => {
      const begun = ids[2] ?? '';
      expect(failed(await run('show', begun))).toMatchObject({ code: 6 });
      expect(failed(await run('abandon', ids[1] ?? '', '--yes'))).toMatchObject({ code: 6 });
      expect(await run('abandon', begun, '--yes')).toMatchObject({ code: 0 });
      expect(await run('abandon', begun, '--yes')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('already'),
      });
      expect(documentsOf(await run('list', '--all', '--json'))).toContainEqual({
        type: 'backup',
        id: begun,
        state: 'void',
      });
    });
  }
});

describe('keys', () => {
  const location = (): string => join(folder, 'keys');
  const run = async (...args: string[]): Promise<CliRun> => holdfast([...args, '-r', location()]);

  test('encryption is a choice that must be made', async () => {
    expect(failed(await run('repository', 'init'))).toMatchObject({
      code: 2,
      next: expect.stringContaining('--no-encryption'),
    });
    const both = await run('repository', 'init', '--no-encryption', '--key-file', join(folder, 'key'));
    expect(failed(both)).toMatchObject({ code: 2 });
    const two = await run(
      'repository',
      'init',
      '--passphrase-file',
      join(folder, 'pass'),
      '--key-file',
      join(folder, 'key'),
    );
    expect(failed(two)).toMatchObject({ code: 2 });
  });

  test('ways in are added, used, listed and removed; the last one stays', async () => {
    const [pass, key] = [join(folder, 'pass'), join(folder, 'key')];
    expect(await run('repository', 'init', '--passphrase-file', pass, '--label', 'me')).toMatchObject({ code: 0 });
    const noKey = await run('repository', 'check');
    expect(failed(noKey)).toMatchObject({ code: 4, next: expect.stringContaining('--passphrase-file') });
    const wrong = await run('repository', 'check', '--passphrase-file', join(folder, 'wrong'));
    expect(failed(wrong)).toMatchObject({ code: 4 });
    expect(`${wrong.stdout}${wrong.stderr}`).not.toContain('another passphrase');
    const added = await run(
      'repository',
      'key',
      'add',
      '--passphrase-file',
      pass,
      '--new-key-file',
      key,
      '--label',
      'db2',
    );
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('key-file of db2') });
    const slots = documentsOf(await run('repository', 'key', 'list', '--json'));
    expect(slots.map(({ kind, label }) => [kind, label].join(' of ')).toSorted()).toEqual([
      'key-file of db2',
      'passphrase of me',
    ]);
    const old = String(slots.find(({ label }) => label === 'me')?.['slot']);
    const remove = (slot: string): Promise<CliRun> =>
      run('repository', 'key', 'remove', slot, '--yes', '--key-file', key);
    // One that makes no sense keeps nobody out, is shown, and can go.
    const damaged = '0'.repeat(16);
    await writeFile(join(location(), 'keys', `${damaged}.json`), '{');
    expect(await run('repository', 'key', 'list')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('damaged'),
    });
    expect(await remove(damaged)).toMatchObject({ code: 0 });
    expect(await remove(old)).toMatchObject({ code: 0 });
    expect(failed(await run('repository', 'check', '--passphrase-file', pass))).toMatchObject({ code: 4 });
    expect(failed(await remove(old))).toMatchObject({ code: 3 });
    const last = String(documentsOf(await run('repository', 'key', 'list', '--json'))[0]?.['slot']);
    expect(failed(await remove(last))).toMatchObject({ code: 6 });
    // The command line goes before the environment, also for the other kind of key.
    const checked = await holdfast(['repository', 'check', '-r', location(), '--key-file', key], {
      env: { HOLDFAST_PASSPHRASE_FILE: pass },
    });
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to check') });
  });
});

describe('damage', () => {
  test('flipped bits and missing segments are found, noted, and told by the exit code', async () => {
    const location = join(folder, 'damaged');
    const options = { env: { HOLDFAST_REPOSITORY: location, HOLDFAST_KEY_FILE: join(folder, 'key') } };
    await holdfast(['repository', 'init'], options);
    const [first = '', second = ''] = await fill(location, { unlock: { kind: 'key-file', bytes: keyFile } });
    const data = join(location, 'backups', first);
    const segments = execFileSync('ls', ['-S', data], { encoding: 'utf8' }).split('\n');
    const segment = join(data, segments[0] ?? '');
    const bytes = await readFile(segment);
    bytes[Math.floor(bytes.length / 3)] = (bytes[Math.floor(bytes.length / 3)] ?? 0) ^ 1;
    await chmod(segment, 0o600);
    await writeFile(segment, bytes);
    const quick = await holdfast(['repository', 'check', first], options);
    expect(quick.code).toBe(0);
    const checked = await holdfast(['repository', 'check', first, '--read-data', '--json'], options);
    expect(checked.code).toBe(5);
    expect(documentsOf(checked)).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ type: 'backup', id: first, isGood: false })]),
    );
    expect(documentsOf(checked).at(-1)).toMatchObject({ type: 'error', code: 'backup-damaged', exitCode: 5 });
    expect(documentsOf(await holdfast(['repository', 'list', '--json'], options))[0]).toMatchObject({
      id: first,
      proof: { level: 'damaged' },
    });
    await rm(segment);
    expect(await holdfast(['repository', 'check', second], options)).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('DAMAGED'),
    });
    const exported = await holdfast(['repository', 'export', first, '-o', join(folder, 'never')], options);
    expect(exported.code).not.toBe(0);
    await expect(readFile(join(folder, 'never'))).rejects.toThrow('ENOENT');
  });
});

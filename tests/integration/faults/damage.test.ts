import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../scripts/setup/run.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Sealed } from '../../../src/repository/documents.ts';
import { listBackups } from '../../../src/repository/list.ts';
import { openRepository, type Repository } from '../../../src/repository/repository.ts';
import { restoreFiles } from '../../../src/repository/restore-files.ts';
import { DirectoryStorage } from '../../../src/storage/directory.ts';
import { engineFor } from '../../support/engine-for.ts';
import { failed, holdfast } from '../../support/cli.ts';
import { listedStates, type ProtectedServer, secrets, startProtectedServer } from '../../support/protected-server.ts';
import { neverAborted as signal } from '../../support/repositories.ts';
import { smallDisk } from '../../support/tmpfs.ts';

let server: ProtectedServer;
let good: readonly string[];

beforeAll(async () => {
  server = await startProtectedServer();
  good = await server.newRepository('good');
  // A server at rest writes its pages out, and then a backup has next to nothing to prepare.
  await server.database.query('USE app; CREATE TABLE work SELECT seq AS id FROM seq_1_to_500');
  let isTaken = false;
  const busy = (async () => {
    while (!isTaken) await server.database.query('UPDATE app.work SET id = id + 1; DO SLEEP(0.05)');
  })();
  const { code, stderr } = await server.backUp(good, '--compression', '0').finally(() => (isTaken = true));
  await busy;
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => server[Symbol.asyncDispose]());

/** A copy of the repository, to be damaged; @returns its arguments and the paths of its segments, the largest first. */
async function damagedCopy(name: string): Promise<{ repository: readonly string[]; segments: readonly string[] }> {
  const path = join(server.folder, name);
  await run('cp', ['-a', join(server.folder, 'good'), path]);
  const files = (await readdir(path, { recursive: true })).filter((file) => file.endsWith('.segment'));
  const sized = await Promise.all(
    files.map(async (file) => ({ file: join(path, file), size: (await stat(join(path, file))).size })),
  );
  const segments = sized.toSorted((left, right) => right.size - left.size).map(({ file }) => file);
  return { repository: server.repositoryIn(path), segments };
}

async function openGood(): Promise<{ repository: Repository; sealed: Sealed }> {
  const storage = new DirectoryStorage(join(server.folder, 'good'));
  const unlock = { kind: 'key-file', bytes: Buffer.from(secrets.key) } as const;
  const repository = await openRepository(storage, { clock: systemClock, signal, unlock });
  const [found] = await listBackups(repository, { signal });
  if (found?.state !== 'sealed') throw new Error('there is no good backup');
  return { repository, sealed: found.sealed };
}

const damages: Readonly<Record<string, (first: string, second: string) => Promise<void>>> = {
  'a bit is flipped': async (segment) => {
    const bytes = await readFile(segment);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 8, bytes.length >> 1);
    await writeFile(segment, bytes);
  },
  'an object is missing': async (segment) => rm(segment),
  'an object is cut short': async (segment) => writeFile(segment, (await readFile(segment)).subarray(0, 2_000_000)),
  'two objects are swapped': async (first, second) => {
    await rename(first, `${first}.tmp`);
    await rename(second, first);
    await rename(`${first}.tmp`, second);
  },
};

describe.each(Object.entries(damages))('where %s in the store', (what, damage) => {
  it('check says so, and neither a restore nor a drill gives wrong data', async () => {
    const { repository, segments } = await damagedCopy(what.replaceAll(' ', '-'));
    await damage(segments[0] ?? '', segments[1] ?? '');
    const target = join(server.folder, `${what.replaceAll(' ', '-')}-target`);
    const restore = await holdfast(['restore', 'latest', '--to', target, ...repository]);
    expect(failed(restore), restore.stderr).toMatchObject({
      code: 5,
      message: expect.stringMatching(/^Cannot .*segment/),
      next: expect.stringMatching(/another backup.*`holdfast repository check/),
    });
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await readdir(server.folder)).filter((name) => name.startsWith('.holdfast-restore'))).toEqual([]);
    const drill = await holdfast(['drill', 'latest', '--directory', server.folder, ...repository]);
    expect(drill.code, drill.stderr).toBe(5);
    // The drill has noted what is bad: the next backup leans on none of it, and is whole.
    expect(await server.backUp(repository, '--compression', '0')).toMatchObject({ code: 0 });
    const next = await holdfast(['restore', 'latest', '--to', target, ...repository]);
    expect(next.code, next.stderr).toBe(0);
    const check = await holdfast(['repository', 'check', '--read-data', ...repository]);
    expect(check.code, check.stderr).toBe(5);
    for (const { stdout, stderr } of [restore, check, drill]) expect(stdout + stderr).not.toContain(secrets.key);
    expect(await holdfast(['repository', 'check', 'latest', '--read-data', ...repository])).toMatchObject({ code: 0 });
  });
});

describe('a restore is refused, and touches nothing,', () => {
  it('into a directory that is not empty', async () => {
    const target = join(server.folder, 'full');
    await mkdir(target);
    await writeFile(join(target, 'precious'), 'kept');
    const refused = await holdfast(['restore', 'latest', '--to', target, ...good]);
    expect(failed(refused)).toEqual({
      code: 6,
      message: expect.stringMatching(/is not empty: precious/),
      next: expect.stringMatching(/empty directory/),
    });
    expect(await readdir(target)).toEqual(['precious']);
  });

  it('onto a running server', async () => {
    const { dataDirectory } = server.database;
    const control = [...server.serverArguments, '--in-place', '--data-directory', dataDirectory, '--yes'];
    for (const args of [['--to', dataDirectory], control]) {
      const refused = await holdfast(['restore', 'latest', ...args, ...good]);
      expect(failed(refused), refused.stderr).toMatchObject({
        code: 6,
        message: expect.stringMatching(/in use by process|not empty/),
      });
    }
    expect(await server.database.query('SELECT COUNT(*) FROM app.notes')).toEqual([['40000']]);
  });

  it('onto a disk that is too small', async ({ skip }) => {
    using disk = smallDisk('12m', skip);
    const refused = await holdfast(['restore', 'latest', '--to', join(disk.path, 'data'), ...good]);
    expect(failed(refused)).toEqual({
      code: 1,
      message: expect.stringMatching(/GB are needed .* GB are free/),
      next: expect.stringMatching(/room/),
    });
  });
});

describe('a disk that fills up ends, with the reason,', () => {
  it('the download', async ({ skip }) => {
    using disk = smallDisk('6m', skip);
    const { repository, sealed } = await openGood();
    const download = restoreFiles(repository, sealed, { directory: join(disk.path, 'data'), signal });
    await expect(download).rejects.toMatchObject({
      code: 'target-full',
      nextStep: expect.stringMatching(/^Make room/),
    });
  });

  it('the preparation, which the tool itself would try for ever', async ({ skip }) => {
    using disk = smallDisk('90m', skip);
    const { repository, sealed } = await openGood();
    const directory = join(disk.path, 'data');
    await restoreFiles(repository, sealed, { directory, signal });
    for (const part of [1, 2]) await run('sh', ['-c', `head -c 90m /dev/zero > "$0/filler${part}" || true`, disk.path]);
    const engine = await engineFor({
      server: { socket: server.database.socket, user: 'root' },
      path: `${server.database.bin}:/usr/bin:/bin`,
    });
    const before = performance.now();
    const prepare = engine.prepare(directory, { signal, onLog: () => undefined });
    await expect(prepare).rejects.toMatchObject({ code: 'target-full', nextStep: expect.stringMatching(/^Make room/) });
    expect(performance.now() - before).toBeLessThan(60_000);
  });
});

describe('two backups at once', () => {
  it('of different ids are both whole', async () => {
    const repository = await server.newRepository('both');
    const runs = await Promise.all([server.backUp(repository), server.backUp(repository)]);
    for (const { code, stderr } of runs) expect(code, stderr).toBe(0);
    expect(await listedStates(repository)).toEqual(['sealed', 'sealed']);
    expect(await holdfast(['repository', 'check', '--read-data', ...repository])).toMatchObject({ code: 0 });
  });

  it('of one id: one is sealed, the other is told', async () => {
    const id = '20260101T000000Z-00000001';
    const backUpTwice = async (name: string) => {
      const repository = await server.newRepository(name);
      const runs = await Promise.all([1, 2].map(async () => server.backUp(repository, '--resume', id)));
      return { repository, runs };
    };
    let { repository, runs } = await backUpTwice('same');
    // One that begins when the other has ended finds what is sealed, and is content.
    for (let tries = 2; tries <= 5 && runs.every(({ code }) => code === 0); tries += 1)
      ({ repository, runs } = await backUpTwice(`same-${tries}`));
    const lost = runs.find(({ code }) => code !== 0);
    expect(new Set(runs.map(({ code }) => code))).toEqual(new Set([0, 6]));
    expect(lost && failed(lost)).toMatchObject({ message: expect.stringMatching(/settle|sealed already/) });
    expect(await listedStates(repository)).toEqual(['sealed']);
    expect(await holdfast(['repository', 'check', '--read-data', ...repository])).toMatchObject({ code: 0 });
  });
});

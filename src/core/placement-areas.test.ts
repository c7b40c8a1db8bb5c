import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contents, failingOnce, fillWith, killedAfter, watched } from '../../tests/support/placement-lab.ts';
import { areaPaths, type Owned } from './areas.ts';
import { guardFor } from './guards.ts';
import { isStandIn } from './placement-exchange.ts';
import { type PlacementFiles, systemFiles } from './placement-files.ts';
import { placeRestored, recoverPlacement } from './placement.ts';

const signal = new AbortController().signal;
const guard = guardFor({ vendor: 'MariaDB', version: '10.11.19-MariaDB' });
const findServer = async () => undefined;

/** A server's data in its directory and in three others, by path below one root. */
const oldData = {
  'data/aria_log_control': 'old aria',
  'data/ibdata1': 'old system',
  'data/app/t.frm': 'old definition',
  'undo/undo001': 'old undo',
  'undo/undo002': 'old undo 2',
  'logs/ib_logfile0': 'old redo',
  'logs/bin.000001': 'old log',
  'logs/bin.index': './bin.000001',
  'fast/app/t.ibd': 'old rows',
  'fast/app/since.ibd': 'rows of a table made since the backup',
};
const newData = {
  'data/aria_log_control': 'new aria',
  'data/ibdata1': 'new system',
  'data/app/t.frm': 'new definition',
  'undo/undo001': 'new undo',
  'undo/undo003': 'new undo 3',
  'logs/ib_logfile0': 'new redo',
  'fast/app/t.ibd': 'new rows',
  'fast/app/dropped.ibd': 'rows of a table dropped since the backup',
};
/** Of others in the same directories. */
const foreign = {
  'undo/undo.txt': 'notes',
  'logs/bin2.000001': 'log of another server',
  'logs/bin2.index': './bin2.000001',
  'logs/bin.txt': 'notes',
  'fast/app/theirs.ibd': 'rows of another server',
};

describe('data in several directories', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-areas-'));
    await begin();
  });
  afterEach(() => rm(root, { recursive: true }));

  test('takes the place of the old data in each of them, which is kept there, and leaves alone what is of others', async () => {
    const placement = await place();
    expect(await found()).toEqual(newData);
    expect(placement.oldElsewhere).toEqual(areas().map(({ old }) => old));
    expect(await keptIn(placement)).toEqual(oldData);
    await placement.confirm();
    for (const { prepared } of areas()) expect(await namesAround(prepared)).not.toContain(prepared);
  });

  test('goes out again, with what the new server wrote put aside', async () => {
    const placement = await place();
    await writeFile(join(root, 'logs', 'bin.000001'), 'log of the new server');
    await writeFile(join(root, 'logs', 'bin.000002.idx'), '');
    await placement.rollBack({ signal });
    expect(await found()).toEqual(oldData);
    const logs = areas()[1]?.prepared ?? '';
    expect(await contents(logs)).toEqual({
      ib_logfile0: 'new redo',
      '.holdfast-strays/0-bin.000001': 'log of the new server',
      '.holdfast-strays/1-bin.000002.idx': '',
    });
  });

  test('killed after any change, it is ended by the next process: all old or all new, everywhere', async () => {
    const outcomes = new Set<string>();
    for (let limit = 1; ; limit += 1) {
      await begin();
      if (await isDone(place(killedAfter(limit)))) break;
      await leaveTracks();
      await recover();
      outcomes.add(expectWhole(await found(), `after ${limit} changes`));
    }
    expect(outcomes).toEqual(new Set(['new', 'old']));
  });

  test('killed after any change of the way back, it is ended by the next process, which may be killed, too', async () => {
    const outcomes = new Set<string>();
    for (let limit = 0; ; limit += 1) {
      await begin();
      const kill = { after: Number.POSITIVE_INFINITY };
      const files = watched(async () => {
        kill.after -= 1;
        if (kill.after < 0) throw new Error('killed');
      });
      const placement = await place(files);
      kill.after = limit;
      if (await isDone(placement.rollBack({ signal }))) break;
      await isDone(recover(killedAfter(limit % 23)));
      await recover();
      outcomes.add(expectWhole(await found(), `after ${limit} changes`));
    }
    expect(outcomes).toEqual(new Set(['new', 'old']));
  });

  test('a failing step brings the old data back at once, everywhere', async () => {
    for (let step = 1; ; step += 1) {
      await begin();
      if (await isDone(place(failingOnce(step)))) break;
      expect(await found(), `when change ${step} fails`).toEqual(oldData);
      expect(await recover()).toBeUndefined();
    }
  });

  test('at every instant all is old, all is new, or the first guard file is a stand-in', async () => {
    let looks = 0;
    await place(
      watched(async () => {
        looks += 1;
        const now = await found();
        const isWhole = [oldData, newData].some((data) =>
          Object.entries(data).every(([name, text]) => now[name] === text),
        );
        expect(isWhole || (await isStandIn(join(root, 'data', 'aria_log_control')))).toBe(true);
      }),
    );
    expect(looks).toBeGreaterThan(60);
  });

  test('is not gone on with while a file system is not mounted, and goes on when it is', async () => {
    await expect(place(killedAfter(45))).rejects.toMatchObject({ code: 'placement-unfinished' });
    const fast = join(root, 'fast');
    await systemFiles.rename(fast, `${fast}-not-mounted`);
    await mkdir(fast);
    await expect(recover()).rejects.toMatchObject({
      code: 'placement-unfinished',
      nextStep: expect.stringContaining(fast),
    });
    expect(await isStandIn(join(root, 'data', 'aria_log_control'))).toBe(true);
    await rm(fast, { recursive: true });
    await systemFiles.rename(`${fast}-not-mounted`, fast);
    await recover();
    expect(['new', 'old']).toContain(expectWhole(await found(), 'mounted again'));
  });

  test('that would replace what is not of this server is refused before anything is touched', async () => {
    await writeFile(join(areas()[2]?.prepared ?? '', 'theirs.ibd'), 'new');
    await expect(place()).rejects.toMatchObject({ code: 'name-taken', message: expect.stringContaining('theirs.ibd') });
    expect(await found()).toEqual(oldData);
  });

  test('fills a data directory that is empty one by one, behind its guard', async () => {
    for (const name of ['data', 'fast/app']) {
      for (const each of await readdir(join(root, name)))
        if (!each.startsWith('.') && each !== 'theirs.ibd') await rm(join(root, name, each), { recursive: true });
    }
    let closed = 0;
    const files = watched(async () => {
      if (await isStandIn(join(root, 'data', 'ibdata1'))) closed += 1;
    });
    await place(files);
    expect(closed).toBeGreaterThan(20);
    expect((await found())['data/ibdata1']).toBe('new system');
    expect((await found())['undo/undo001']).toBe('new undo');
  });

  const which = () => ({ id: 'r1', prepared: join(root, '.holdfast-restore-r1'), target: join(root, 'data') });
  const recover = (files: PlacementFiles = systemFiles) => recoverPlacement(which(), { signal, findServer, files });
  const place = (files: PlacementFiles = systemFiles) =>
    placeRestored({
      ...which(),
      old: join(root, '.holdfast-old-r1'),
      guard,
      areas: areas(),
      signal,
      files,
      findServer,
    });

  function areas() {
    const told = join(root, 'fast', 'app');
    const owned: Record<string, Owned[]> = {
      undo: [{ kind: 'undo' }],
      logs: [{ kind: 'redo' }, { kind: 'log', base: 'bin' }],
      'fast/app': [{ kind: 'tables', told }],
    };
    return Object.entries(owned).map(([name, each]) => {
      const directory = join(root, name);
      return { directory, owned: each, ...areaPaths(directory, 'r1') };
    });
  }

  async function begin(): Promise<void> {
    await rm(root, { recursive: true });
    await mkdir(root);
    await fillWith(root, { ...oldData, ...foreign });
    for (const name of ['t', 'since'])
      await writeFile(join(root, 'data', 'app', `${name}.isl`), join(root, 'fast', 'app', `${name}.ibd`));
    for (const [name, text] of Object.entries(newData)) await fillWith(root, { [preparedName(name)]: text });
  }

  /** Where a restore puts it before it moves in. */
  function preparedName(name: string): string {
    if (name.startsWith('data/')) return `.holdfast-restore-r1/${name.slice('data/'.length)}`;
    return `${dirname(name)}/.holdfast-restore-r1-part/${name.slice(dirname(name).length + 1)}`;
  }

  /** What a server that is started meanwhile and refuses may leave behind. */
  async function leaveTracks(): Promise<void> {
    await writeFile(join(root, 'logs', 'bin.000099'), '');
  }

  /** All files of the server; those of others are as they were. */
  async function found(): Promise<Record<string, string>> {
    const all = await contents(root);
    expect(all).toMatchObject(foreign);
    const names = Object.keys(all).filter(
      (name) => !/\.holdfast-|\.isl$|bin\.000099$/.test(name) && !Object.keys(foreign).includes(name),
    );
    return Object.fromEntries(names.map((name) => [name, all[name] ?? '']));
  }

  async function keptIn(placement: Awaited<ReturnType<typeof place>>): Promise<Record<string, string>> {
    const kept: Record<string, string> = {};
    for (const old of [placement.old ?? '', ...placement.oldElsewhere]) {
      const home = old === placement.old ? 'data' : dirname(old).slice(root.length + 1);
      for (const [name, text] of Object.entries(await contents(old)))
        if (!name.endsWith('.isl')) kept[`${home}/${name}`] = text;
    }
    return kept;
  }

  function expectWhole(now: Record<string, string>, when: string): 'old' | 'new' {
    const isNew = now['data/ibdata1'] === newData['data/ibdata1'];
    expect(now, when).toEqual(isNew ? newData : oldData);
    return isNew ? 'new' : 'old';
  }

  async function namesAround(path: string): Promise<string[]> {
    return (await readdir(dirname(path))).map((name) => join(dirname(path), name));
  }

  async function isDone(work: Promise<unknown>): Promise<boolean> {
    return work.then(
      () => true,
      () => false,
    );
  }
});

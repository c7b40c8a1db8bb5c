import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { contents, failingOnce, fillWith, killedAfter, watched } from '../../tests/support/placement-lab.ts';
import { guardFor } from './guards.ts';
import { placeRestored, recoverPlacement } from './placement.ts';
import { isStandIn } from './placement-exchange.ts';
import { type PlacementFiles, systemFiles } from './placement-files.ts';

const signal = new AbortController().signal;
const guard = guardFor({ vendor: 'MariaDB', version: '10.11.19-MariaDB' });
const findServer = async () => undefined;

const oldData = {
  aria_log_control: 'old aria',
  ibdata1: 'old system',
  ib_logfile0: 'old redo',
  'app/t.ibd': 'old rows',
  'mysql/user.MAD': 'old users',
  'bin.000001': 'old log',
  'auto.cnf': 'old',
};
const newData = {
  aria_log_control: 'new aria',
  ibdata1: 'new system',
  ib_logfile0: 'new redo',
  'app/t.ibd': 'new rows',
  'mysql/user.MAD': 'new users',
  'shop/x.ibd': 'new shop',
};

describe.each(['beside', 'inside'])('a prepared directory %s the target', (where) => {
  let root: string;
  let target: string;
  let prepared: string;
  let old: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-placement-'));
    target = join(root, 'data');
    const parent = where === 'beside' ? root : target;
    [prepared, old] = [join(parent, '.holdfast-restore-r1'), join(parent, '.holdfast-old-r1')];
    await fillWith(target, oldData);
    await fillWith(prepared, newData);
  });

  afterEach(() => rm(root, { recursive: true }));

  const place = (files: PlacementFiles = systemFiles) =>
    placeRestored({ id: 'r1', prepared, target, old, guard, signal, files, findServer });
  const recover = (files: PlacementFiles = systemFiles) =>
    recoverPlacement({ id: 'r1', prepared, target }, { signal, findServer, files });

  test('takes the place of the old data, which is kept', async () => {
    const placement = await place();
    expect(await contents(target)).toEqual(newData);
    expect(await contents(old)).toEqual(oldData);
    await placement.confirm();
    expect(await leftovers(root)).toEqual(where === 'beside' ? ['.holdfast-old-r1', '.holdfast-restore-r1'] : []);
  });

  test('goes out again, and what the new server wrote is put aside', async () => {
    const placement = await place();
    await writeFile(join(target, 'bin.000001'), 'log of the new server');
    await placement.rollBack({ signal });
    expect(await contents(target)).toEqual(oldData);
    expect(await contents(prepared)).toEqual({ ...newData, '.holdfast-strays/0-bin.000001': 'log of the new server' });
  });

  test('follows an earlier one that nobody confirmed, whose data is then what is kept', async () => {
    await place();
    const [prepared2, old2] = [`${prepared}-again`, `${old}-again`];
    await fillWith(prepared2, { ...newData, 'app/t.ibd': 'newer' });
    await placeRestored({ id: 'r2', prepared: prepared2, target, old: old2, guard, signal, findServer });
    expect(await contents(target)).toEqual({ ...newData, 'app/t.ibd': 'newer' });
    expect(await contents(old2)).toEqual(newData);
    expect(await contents(old)).toEqual(oldData);
  });

  test('follows an earlier one that was killed, after that one went back', async () => {
    await expect(place(killedAfter(25))).rejects.toMatchObject({ code: 'placement-unfinished' });
    const [prepared2, old2] = [`${prepared}-again`, `${old}-again`];
    await fillWith(prepared2, { ...newData, 'app/t.ibd': 'newer' });
    await placeRestored({ id: 'r2', prepared: prepared2, target, old: old2, guard, signal, findServer });
    expect(await contents(target)).toEqual({ ...newData, 'app/t.ibd': 'newer' });
    expect(await contents(old2)).toEqual(oldData);
  });

  test('killed after any change, it is ended by the next process: all old or all new', async () => {
    const outcomes = new Set<string>();
    for (let limit = 1; ; limit += 1) {
      await rm(root, { recursive: true });
      await fillWith(target, oldData);
      await fillWith(prepared, newData);
      const files = killedAfter(limit);
      const isDone = await place(files).then(
        () => true,
        () => false,
      );
      if (isDone) break;
      // What a server that is started now and refuses may leave behind.
      await writeFile(join(target, 'auto.cnf'), 'old');
      await writeFile(join(target, 'bin.index'), '');
      await recover();
      const { 'bin.index': _index, 'auto.cnf': auto, ...found } = await contents(target);
      const isNew = found['ibdata1'] === newData.ibdata1;
      expect(isNew ? found : { ...found, 'auto.cnf': auto }, `after ${limit} changes`).toEqual(
        isNew ? newData : oldData,
      );
      if (isNew) expect(await contents(old)).toMatchObject(oldData);
      outcomes.add(isNew ? 'new' : 'old');
    }
    expect(outcomes).toEqual(new Set(['new', 'old']));
  });

  test('killed after any change of the way back, it is ended by the next process: all old or still all new', async () => {
    const outcomes = new Set<string>();
    for (let limit = 0; ; limit += 1) {
      await rm(root, { recursive: true });
      await fillWith(target, oldData);
      await fillWith(prepared, newData);
      const kill = { after: Number.POSITIVE_INFINITY };
      const placement = await place(
        watched(async () => {
          kill.after -= 1;
          if (kill.after < 0) throw new Error('killed');
        }),
      );
      kill.after = limit;
      const isDone = await placement.rollBack({ signal }).then(
        () => true,
        () => false,
      );
      if (isDone) break;
      // The one that ends it is killed too, and followed by another.
      await recover(killedAfter(7)).catch(() => undefined);
      await recover();
      const found = await contents(target);
      expect([oldData, newData], `after ${limit} changes`).toContainEqual(found);
      outcomes.add(found['ibdata1'] ?? '');
    }
    expect(outcomes).toEqual(new Set(['new system', 'old system']));
  });

  test('is ended alone: what lies beside it of other restores under way is not touched, nor need it be readable', async () => {
    await expect(place(killedAfter(25))).rejects.toMatchObject({ code: 'placement-unfinished' });
    const parent = dirname(prepared);
    const [theirs, damaged] = [join(root, 'data2'), join(parent, '.holdfast-placement-r0.json')];
    const other = { id: 'r2', prepared: join(parent, '.holdfast-restore-r2'), target: theirs };
    await fillWith(theirs, oldData);
    await fillWith(other.prepared, newData);
    const placing = { ...other, old: join(parent, '.holdfast-old-r2'), guard, signal, findServer };
    await expect(placeRestored({ ...placing, files: killedAfter(20) })).rejects.toThrow();
    await writeFile(damaged, '{');
    const before = [await contents(theirs), await contents(other.prepared), await contents(placing.old)];
    await (await recover())?.confirm();
    expect([oldData, newData]).toContainEqual(await contents(target));
    expect([await contents(theirs), await contents(other.prepared), await contents(placing.old)]).toEqual(before);
    expect((await readdir(parent)).filter((name) => name.endsWith('.json'))).toEqual([
      '.holdfast-placement-r0.json',
      '.holdfast-placement-r2.json',
    ]);
    await recoverPlacement({ ...other, target }, { signal, findServer });
    expect(await contents(theirs)).toEqual(before[0]);
  });

  test('a failing step brings the old data back at once', async () => {
    for (let step = 1; ; step += 1) {
      await rm(root, { recursive: true });
      await fillWith(target, oldData);
      await fillWith(prepared, newData);
      const isDone = await place(failingOnce(step)).then(
        () => true,
        () => false,
      );
      if (isDone) break;
      expect(await contents(target), `when change ${step} fails`).toEqual(oldData);
      expect(await recover()).toBeUndefined();
    }
  });

  test('at every instant the old data is whole, the new data is whole, or the first guard file is a stand-in', async () => {
    let looks = 0;
    await place(
      watched(async () => {
        looks += 1;
        const found = await contents(target);
        const isWhole = [oldData, newData].some((data) =>
          Object.entries(data).every(([name, text]) => found[name] === text),
        );
        expect(isWhole || (await isStandIn(join(target, 'aria_log_control')))).toBe(true);
      }),
    );
    expect(looks).toBeGreaterThan(20);
  });

  test('a server found once the stand-ins are in gets its files back', async () => {
    let looks = 0;
    const late = async () => (++looks < 2 ? undefined : { pid: 7, command: 'mariadbd', path: join(target, 'ibdata1') });
    await expect(
      placeRestored({ id: 'r1', prepared, target, old, guard, signal, findServer: late }),
    ).rejects.toMatchObject({ code: 'server-running' });
    expect(await contents(target)).toEqual(oldData);
    expect(await contents(prepared)).toEqual(newData);
  });

  test('a server started before a rollback keeps its files', async () => {
    let looks = 0;
    const late = async () => (++looks < 4 ? undefined : { pid: 7, command: 'mariadbd', path: join(target, 'ibdata1') });
    const placement = await placeRestored({ id: 'r1', prepared, target, old, guard, signal, findServer: late });
    await expect(placement.rollBack({ signal })).rejects.toMatchObject({ code: 'server-running' });
    expect(await contents(target)).toEqual(newData);
  });

  test('what lacks a guard file is refused before anything is touched', async () => {
    await rm(join(prepared, 'ibdata1'));
    await expect(place()).rejects.toMatchObject({ code: 'guard-file-missing' });
    expect(await contents(target)).toEqual(oldData);
  });

  test('a target with data is refused by its first names when no place for them is given', async () => {
    await expect(placeRestored({ id: 'r1', prepared, target, guard, signal, findServer })).rejects.toMatchObject({
      code: 'target-not-empty',
      message: expect.stringContaining('aria_log_control'),
    });
  });
});

describe('an empty target', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-placement-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  test.each(['absent', 'empty'])('that is %s takes the prepared directory whole', async (state) => {
    const [target, prepared] = [join(root, 'data'), join(root, '.holdfast-restore-r1')];
    if (state === 'empty') await mkdir(target);
    await fillWith(prepared, newData);
    const placement = await placeRestored({ id: 'r1', prepared, target, signal, findServer });
    expect(await contents(target)).toEqual(newData);
    expect(placement.old).toBeUndefined();
    await placement.rollBack({ signal });
    expect(await contents(prepared)).toEqual(newData);
    expect(await readdir(root)).toEqual(
      state === 'empty' ? ['.holdfast-restore-r1', 'data'] : ['.holdfast-restore-r1'],
    );
  });

  test('that is a mount point with lost+found is filled entry by entry, and emptied again', async () => {
    const [target, prepared] = [join(root, 'data'), join(root, 'data', '.holdfast-restore-r1')];
    await mkdir(join(target, 'lost+found'), { recursive: true });
    await fillWith(prepared, newData);
    const placement = await placeRestored({ id: 'r1', prepared, target, guard, signal, findServer });
    expect(await contents(target)).toEqual(newData);
    await placement.rollBack({ signal });
    expect(await contents(target)).toEqual({});
    expect(await contents(prepared)).toEqual(newData);
  });

  test('is not filled entry by entry for a server without a proven guard', async () => {
    const [target, prepared] = [join(root, 'data'), join(root, 'data', '.holdfast-restore-r1')];
    await fillWith(prepared, newData);
    await expect(placeRestored({ id: 'r1', prepared, target, signal, findServer })).rejects.toMatchObject({
      code: 'guard-unknown',
    });
  });
});

async function leftovers(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith('.holdfast')).toSorted();
}

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { neverAborted as signal } from '../../tests/support/repositories.ts';
import { StandInLab } from '../../tests/support/stand-in-lab.ts';
import { addNote } from '../repository/notes.ts';

let lab: StandInLab;
beforeEach(async () => {
  lab = await StandInLab.start();
});
afterEach(async () => lab[Symbol.asyncDispose]());

describe('a backup', () => {
  it('that is deleted while its store is away is deleted later, or is said not to be, and again when asked', async () => {
    const id = await lab.running();
    await lab.seal(id);
    lab.agent.becomes(id, 'Succeeded');
    await lab.pass(1_000);
    lab.isStoreDown = true;
    await lab.control.deleteBackup('b');
    await lab.pass(60_000);
    expect(await lab.show()).toMatchObject({
      state: 'Deleting',
      waitingFor: [expect.stringContaining('does not answer')],
    });
    await lab.pass(600_000);
    expect(await lab.show()).toMatchObject({ state: 'DeleteFailed', failure: { code: 'storage-failed' } });
    lab.isStoreDown = false;
    await lab.pass(600_000);
    expect((await lab.show()).state).toBe('DeleteFailed');
    await lab.control.deleteBackup('b');
    await lab.pass(1_000);
    expect((await lab.show()).state).toBe('Deleted');
  });

  it('that is pinned in its repository is not deleted until it is unpinned, and its record goes with its data', async () => {
    const id = await lab.running();
    await lab.seal(id);
    lab.agent.becomes(id, 'Succeeded');
    await lab.pass(1_000);
    await addNote(lab.repository, id, { note: { kind: 'pinned', reason: 'by another' }, signal });
    await lab.control.deleteBackup('b');
    await lab.pass(1_000);
    expect(await lab.show()).toMatchObject({ state: 'DeleteFailed', isPinned: true, failure: { code: 'pinned' } });
    await expect(lab.control.deleteBackup('b')).rejects.toMatchObject({ code: 'pinned' });
    await lab.control.setPinned('b', false);
    await lab.pass(1_000);
    await lab.control.deleteBackup('b');
    await lab.pass(1_000);
    expect((await lab.show()).state).toBe('Deleted');
    expect((await lab.keysBelow('backups/')).length).toBeGreaterThan(0);
    await lab.pass(23 * 3_600_000);
    expect((await lab.show()).state).toBe('Deleted');
    await lab.pass(3 * 3_600_000);
    expect(await lab.catalog.get('Backup', 'b')).toBeUndefined();
    expect(await lab.keysBelow('backups/')).toEqual([]);
  });
});

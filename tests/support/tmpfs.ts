import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small file system of its own, to be filled. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  resize(size: string): void;
}

/** @param size as mount takes it, e.g. `6m` @param skip the test's own: called where this user may not mount */
export function smallDisk(size: string, skip: (note: string) => never): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'hf-disk-'));
  const { status } = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', path]);
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  if (status !== 0) {
    remove();
    return skip('only root may mount a small disk');
  }
  return {
    path,
    resize: (larger) => {
      spawnSync('/bin/mount', ['-o', `remount,size=${larger}`, path]);
    },
    [Symbol.dispose]: () => {
      spawnSync('/bin/umount', ['--lazy', path]);
      remove();
    },
  };
}

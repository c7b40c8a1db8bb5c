import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryStorage, prepareDirectory } from '../../src/storage/directory.ts';
import { describeStorage } from './storage.ts';

describeStorage('DirectoryStorage', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hf-dir-'));
  const root = join(folder, 'store');
  await prepareDirectory(root);
  return {
    storage: new DirectoryStorage(root),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
});

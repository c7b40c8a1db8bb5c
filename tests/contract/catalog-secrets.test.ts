import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import { openSqliteSecrets } from '../../src/catalog/sqlite-secrets.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-secrets-'));
  file = join(folder, 'manager.db');
});
afterEach(async () => rm(folder, { recursive: true }));

const hush = 'hush-secret-key-7';

describe('secrets at rest', () => {
  it('are read back as they were set, also beside a catalog and after a restart', async () => {
    {
      await using _catalog = await openSqliteCatalog({ file, clock });
      await using secrets = await openSqliteSecrets({ file, clock });
      expect(await secrets.get('StorageLocation', 'main')).toEqual({});
      await secrets.set('StorageLocation', 'main', { secretAccessKey: 'old', passphrase: 'x' });
      await secrets.set('StorageLocation', 'main', { secretAccessKey: hush });
      await secrets.set('Agent', 'main', { token: 'another' });
    }
    await using secrets = await openSqliteSecrets({ file, clock });
    expect(await secrets.get('StorageLocation', 'main')).toEqual({ secretAccessKey: hush });
    expect(await secrets.names('StorageLocation')).toEqual(['main']);
    await secrets.remove('StorageLocation', 'main');
    await secrets.remove('StorageLocation', 'main');
    expect(await secrets.names('StorageLocation')).toEqual([]);
    expect(await secrets.get('StorageLocation', 'main')).toEqual({});
    expect(await secrets.get('Agent', 'main')).toEqual({ token: 'another' });
  });

  it('stand in no file in clear, and their key is for its owner alone', async () => {
    await using secrets = await openSqliteSecrets({ file, clock });
    await secrets.set('StorageLocation', 'main', { secretAccessKey: hush });
    for (const name of await readdir(folder)) {
      expect((await readFile(join(folder, name))).includes(hush), name).toBe(false);
      expect((await stat(join(folder, name))).mode & 0o077, name).toBe(0);
    }
  });

  it('of one resource do not pass for those of another, nor what was changed for what was set', async () => {
    await using secrets = await openSqliteSecrets({ file, clock });
    await secrets.set('StorageLocation', 'main', { secretAccessKey: hush });
    const raw = new DatabaseSync(file);
    raw.exec(`INSERT INTO secrets SELECT kind, 'mine', nonce, sealed FROM secrets`);
    await expect(secrets.get('StorageLocation', 'mine')).rejects.toMatchObject({ code: 'secret-damaged' });
    raw.exec(`UPDATE secrets SET sealed = substr(sealed, 1, 10) WHERE name = 'main'`);
    raw.close();
    await expect(secrets.get('StorageLocation', 'main')).rejects.toMatchObject({ code: 'secret-damaged' });
  });

  it('are not begun anew when their key is lost, open to others or damaged', async () => {
    {
      await using secrets = await openSqliteSecrets({ file, clock });
      await secrets.set('StorageLocation', 'main', { secretAccessKey: hush });
    }
    await chmod(`${file}.key`, 0o644);
    await expect(openSqliteSecrets({ file, clock })).rejects.toMatchObject({ code: 'secrets-key-open' });
    await chmod(`${file}.key`, 0o600);
    await truncate(`${file}.key`, 31);
    await expect(openSqliteSecrets({ file, clock })).rejects.toMatchObject({ code: 'secrets-key-damaged' });
    await rm(`${file}.key`);
    await expect(openSqliteSecrets({ file, clock })).rejects.toMatchObject({ code: 'secrets-key-lost' });
  });
});

import { readFile, stat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { PrivateDirectory } from './private-directory.ts';

it('lets nobody else in, and goes with all that is in it', async () => {
  let path = '';
  {
    await using directory = await PrivateDirectory.create();
    path = directory.path;
    const file = await directory.write('server.cnf', 'password=x');
    expect(await readFile(file, 'utf8')).toBe('password=x');
    const modes = [await stat(path), await stat(file)].map(({ mode }) => mode & 0o777);
    expect(modes).toEqual([0o700, 0o600]);
    await expect(directory.write('server.cnf', 'again')).rejects.toMatchObject({ code: 'EEXIST' });
  }
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

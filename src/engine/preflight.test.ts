import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryBytes } from './directory-size.ts';
import { dataDirectoryFinding, linkedAriaFindings } from './preflight.ts';

const { signal } = new AbortController();

describe('a data directory', () => {
  it('that is not on this host is named', async () => {
    expect(await dataDirectoryFinding('/nonexistent/mysql')).toMatchObject({
      level: 'error',
      code: 'data-directory-missing',
    });
    expect(await directoryBytes('/nonexistent/mysql', { signal })).toBeUndefined();
  });

  it('that can be read is fine, and has a size without what does not count', async () => {
    await using folder = await newFolder();
    await writeFile(join(folder.path, 'ibdata1'), 'x'.repeat(1000));
    await writeFile(join(folder.path, 'bin.000001'), 'x'.repeat(500));
    expect(await dataDirectoryFinding(folder.path)).toMatchObject({ level: 'ok' });
    expect(await directoryBytes(folder.path, { signal, skip: (name) => name.startsWith('bin.') })).toBe(1000);
  });

  it('that may not be read is named', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may read everything');
    await using folder = await newFolder();
    await chmod(folder.path, 0);
    expect(await dataDirectoryFinding(folder.path)).toMatchObject({
      level: 'error',
      code: 'data-directory-unreadable',
    });
    await chmod(folder.path, 0o700);
  });
});

describe('Aria tables behind symbolic links', () => {
  it('are named, as the tool leaves them out in silence', async () => {
    await using folder = await newFolder();
    await mkdir(join(folder.path, 'app'));
    await mkdir(join(folder.path, 'linked'));
    await symlink(join(folder.path, 'linked'), join(folder.path, 'shop'));
    for (const name of ['app/in.MAD', 'app/in.MAI', 'linked/in.MAD']) await writeFile(join(folder.path, name), '');
    await symlink('/fast/m.MYD', join(folder.path, 'app', 'm.MYD'));
    expect(await linkedAriaFindings(folder.path)).toEqual([]);
    for (const name of ['out.MAD', 'out.MAI']) await symlink(`/fast/${name}`, join(folder.path, 'app', name));
    expect(await linkedAriaFindings(folder.path)).toMatchObject([
      { level: 'warning', code: 'aria-behind-links', message: expect.stringMatching(/: app\.out\.$/) },
    ]);
  });
});

async function newFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

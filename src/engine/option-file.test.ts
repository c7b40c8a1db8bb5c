import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectOptionFiles, optionFilesNamed, redactOptions } from './option-files.ts';
import { optionLine, parseOptions, resolveConnection } from './option-file.ts';
import { toolOptionFile } from './tool-option-file.ts';

describe('option files', () => {
  it('give back every password that was written to them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (password) => {
        const [option] = parseOptions(`[client]\n${optionLine('password', password)}\n`);
        expect(option).toEqual({ group: 'client', key: 'password', value: password });
      }),
    );
  });

  it('are read as servers read them', () => {
    const text = `# comment\n; too\n!includedir /etc\nport=1\n[client] # x\n user = root # who\npassword='a#b' # c\nsocket="/x y\\s.sock"\nssl_key=k\nskip-x\n`;
    expect([...parseOptions(text)]).toEqual([
      { group: '', key: 'port', value: '1' },
      { group: 'client', key: 'user', value: 'root' },
      { group: 'client', key: 'password', value: 'a#b' },
      { group: 'client', key: 'socket', value: '/x y .sock' },
      { group: 'client', key: 'ssl-key', value: 'k' },
      { group: 'client', key: 'skip-x', value: '' },
    ]);
  });

  it('fill what a connection leaves open', async () => {
    await using folder = await newFolder();
    const defaultsFile = join(folder.path, 'my.cnf');
    await writeFile(defaultsFile, '[mysqld]\nuser=mysql\n[client]\nuser=bk\npassword=pw\nport=3307\n');
    expect(await resolveConnection({ defaultsFile, user: 'other' })).toEqual({
      user: 'other',
      password: 'pw',
      port: 3307,
    });
    await expect(resolveConnection({ defaultsFile: join(folder.path, 'none.cnf') })).rejects.toMatchObject({
      code: 'option-file-unreadable',
    });
  });

  it('for tools name one way to the server', () => {
    expect(toolOptionFile('xtrabackup', { user: 'b', password: 'p"\\', socket: '/s' })).toBe(
      '[xtrabackup]\nuser="b"\npassword="p\\"\\\\"\nsocket="/s"\n',
    );
    expect(toolOptionFile('g', { host: 'localhost', port: 3307 })).toBe('[g]\nhost="127.0.0.1"\nport=3307\n');
    expect(toolOptionFile('g', {})).toBe('[g]\nsocket="/run/mysqld/mysqld.sock"\n');
  });

  it('are collected with their includes, once each, without secrets', async () => {
    await using folder = await newFolder();
    const main = join(folder.path, 'my.cnf');
    await writeFile(main, `[client]\npassword = geheim\n!includedir ${folder.path}\n!include ${main}\n`);
    await writeFile(join(folder.path, 'a.cnf'), '[mysqld]\nport=1\n');
    await writeFile(join(folder.path, 'a.txt'), 'not an option file');
    const files = await collectOptionFiles({ files: [main, '/nonexistent.cnf'], signal: new AbortController().signal });
    expect(files.map(({ path }) => path)).toEqual([main, join(folder.path, 'a.cnf')]);
    expect(files[0]?.text).toContain('password = ***');
  });

  it.each([
    [['mariadbd', '--datadir=/d'], expect.arrayContaining(['/etc/my.cnf', '/etc/mysql/my.cnf'])],
    [['mariadbd', '--defaults-file=/b.cnf', '--datadir=/d'], ['/b.cnf']],
    [['mysqld', '--defaults-extra-file=/more.cnf'], expect.arrayContaining(['/etc/my.cnf', '/more.cnf'])],
    [['mysqld', '--no-defaults', '--port=1'], []],
    [[], expect.arrayContaining(['/etc/my.cnf'])],
  ])('of a server that was started as %j', (args, files) => {
    expect(optionFilesNamed(args)).toEqual(files);
  });

  it('are none where they do not begin as such', async () => {
    await using folder = await newFolder();
    const path = join(folder.path, 'shadow');
    await writeFile(path, '# users\nroot:$6$geheim:19000:0:99999:7:::\n[mysqld]\n');
    const { signal } = new AbortController();
    expect(await collectOptionFiles({ files: [path, folder.path], signal })).toEqual([
      { path, text: '# not kept: not an option file\n' },
      { path: folder.path, text: '# not kept: no regular file\n' },
    ]);
  });

  it('lose the values of secrets only', () => {
    const text =
      'wsrep_sst_auth = bk:geheim\n;password=x\nngram_token_size=2\nauthentication_ldap_simple_bind_root_pwd=p w\npassword=x y\n#password=x\nloose-s3-secret-key = k\nmaster_password="a"\nport=3306\nssl-key=/etc/k.pem\nreport-password=p';
    expect(redactOptions(text)).toBe(
      'wsrep_sst_auth = ***\n;password= ***\nngram_token_size=2\nauthentication_ldap_simple_bind_root_pwd= ***\npassword= ***\n#password= ***\nloose-s3-secret-key = ***\nmaster_password= ***\nport=3306\nssl-key=/etc/k.pem\nreport-password= ***',
    );
  });
});

async function newFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failed, holdfast } from '../support/cli.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what cannot be used', () => {
  // Root may write anywhere but where the kernel itself refuses.
  const readOnly = async (): Promise<string> => {
    if (process.geteuid?.() === 0) return '/sys/holdfast';
    await mkdir(join(folder, 'read-only'), { mode: 0o555 });
    return join(folder, 'read-only');
  };

  test.each<[string, string[], number, RegExp]>([
    ['no location', ['list'], 2, /no repository is named/],
    ['a relative path', ['list', '-r', 'backups'], 2, /neither an absolute path/],
    ['credentials in the location', ['list', '-r', 's3://a:secret-word@bucket/x'], 2, /./],
    ['a folder that is not there', ['list', '-r', '/nonexistent/x'], 3, /not there/],
    ['a directory without a repository', ['list', '-r', '/usr'], 3, /there is none/],
    ['a file', ['init', '--no-encryption', '-r', '/etc/passwd'], 1, /^Cannot /],
    ['a passphrase file that is not there', ['list', '-r', '/usr', '--passphrase-file', '/nonexistent'], 2, /ENOENT/],
    ['an unknown command', ['lst'], 2, /^$/],
    ['an unknown option', ['list', '--al'], 2, /^$/],
    ['an operand too many', ['list', 'x'], 2, /^$/],
    ['no id', ['show'], 2, /^$/],
  ])('%s', async (...[, args, code, message]) => {
    const run = await holdfast(['repository', ...args]);
    expect({ ...failed(run), stdout: run.stdout }).toMatchObject({
      code,
      message: expect.stringMatching(message),
      stdout: '',
    });
    expect(run.stderr).not.toContain('secret-word');
    expect(run.stderr).not.toMatch(/\n {4}at /);
  });

  test('a directory that may not be written to', async () => {
    const run = await holdfast(['repository', 'init', '--no-encryption', '-r', await readOnly()]);
    expect(failed(run)).toMatchObject({
      message: expect.stringMatching(/^Cannot /),
      next: expect.stringMatching(/\.$/),
    });
    expect(run.code).not.toBe(0);
  });

  test.each<[string, string[]]>([
    ['--agent', ['backup', '--socket', '/x']],
    ['--agent', ['backup', '--state-dir', '/x']],
    ['--agent', ['backup', '--repository', '/x']],
    ['--agent', ['restore', 'latest', '--to', '/x', '--control-limit', '5']],
    ['--agent', ['restore', 'latest', '--to', '/x', '--state-dir', '/x']],
    ['--agent', ['restore', 'latest', '--to', '/x', '--owner', 'mysql']],
    ['--agent', ['drill', 'latest', '--directory', '/x']],
    ['--agent', ['drill', 'latest', '--server-program', '/x']],
    ['--manager', ['backup', '--service', 'x', '--key-file', '/x']],
    ['--manager', ['restore', 'x', '--in-place', '--location', 'x']],
    ['--manager', ['drill', 'x', '--folder', 'x']],
    ['--repository', ['backup', '--folder', 'x']],
    ['--repository', ['restore', 'latest', '--to', '/x', '--location', 'x']],
    ['--repository', ['drill', 'latest', '--folder', 'x']],
  ])('with %s an option that would be passed over: %j', async (where, args) => {
    const named = where === '--repository' ? '/nonexistent' : 'https://127.0.0.1:1';
    expect(failed(await holdfast([...args, where, named]))).toMatchObject({
      code: 2,
      message: expect.stringMatching(new RegExp(`^Cannot use ${args.at(-2)} `)),
    });
  });

  test('odd values of options', async () => {
    for (const args of [
      ['backup', '--compression', '20'],
      ['backup', '--compression', '-1'],
      ['backup', '--parallel', '1e2'],
      ['backup', '--port', '0'],
      ['backup', '--service', ''],
      ['backup', '--name', 'a\nb'],
      ['drill', 'latest', '--memory', '1'],
      ['drill', 'latest', '--memory', '2X'],
      ['completion', 'ksh'],
    ])
      expect(await holdfast(args), args.join(' ')).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('error: '),
      });
  });

  test('a reader that goes away ends it quietly', async () => {
    const location = join(folder, 'repository');
    await holdfast(['repository', 'init', '--no-encryption', '-r', location]);
    const command = `"$0" "$1" repository list -r "$2" | true; echo "\${PIPESTATUS[0]}"`;
    const program = new URL('../../src/cli.ts', import.meta.url).pathname;
    const printed = execFileSync('bash', ['-c', command, process.execPath, program, location], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(printed).toBe('141\n');
  });
});

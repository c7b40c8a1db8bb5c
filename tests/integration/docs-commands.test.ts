import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../scripts/setup/run.ts';
import { type MariadbServer, startMariadb } from '../support/servers.ts';

/** Runs the commands that the documentation shows, in its order, on a real server. Paths of the system become scratch ones. */

let server: MariadbServer;
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startMariadb();
  folder = await mkdtemp(join(tmpdir(), 'hf-docs-'));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'srv'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const cli = resolve('src/cli.ts');
  await writeFile(join(bin, 'holdfast'), `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`, { mode: 0o755 });
  const PATH = [bin, server.bin, process.env['PATH']].join(delimiter);
  env = { ...process.env, PATH, HOME: folder, HOLDFAST_STATE_DIR: join(folder, 'state') };
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The blocks of one language in a page, with the system's paths replaced. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  const found = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, each]) => each === language);
  return found.map(([, , code = '']) => inScratch(code));
}

function inScratch(code: string): string {
  return (
    code
      .replaceAll('/etc/holdfast', join(folder, 'etc'))
      .replaceAll('/srv/', `${join(folder, 'srv')}/`)
      .replaceAll('holdfast backup', `holdfast backup --socket ${server.socket}`)
      // A host without packages of a server has no such user.
      .replaceAll('--owner mysql', process.getuid?.() === 0 ? '--owner nobody' : '')
  );
}

async function shell(code: string): Promise<string> {
  return run('bash', ['-euo', 'pipefail', '-c', code], { env, timeoutMs: 300_000 });
}

describe('the commands of the documentation', () => {
  test('lead from nothing to a proven backup and a restored directory', async () => {
    const [users = ''] = await blocks('README.md', 'sql');
    await server.query(users);
    const commands = (await blocks('README.md', 'sh')).filter((code) => /^\s*(umask|export|mkdir|holdfast)/.test(code));
    expect(commands).toHaveLength(3);
    const drills = (await blocks('docs/drills.md', 'sh')).join('\n');
    const said = await shell([...commands, drills].join('\n'));
    expect(said).toMatch(/Backup \S+ of shop is complete/);
    expect(said.match(/is proven/g)).toHaveLength(3);
    expect(said).toContain(`Restored`);
  }, 360_000);

  test('grant what the page about engines says is enough', async () => {
    const [mariadb = ''] = await blocks('docs/engines.md', 'sql');
    expect(mariadb).toContain('BINLOG MONITOR');
    const [readme = ''] = await blocks('README.md', 'sql');
    expect(readme).toContain(mariadb.trim());
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { thirdPartyNotices } from './notices.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'holdfast-notices-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

test('each bundled package is named once with its licence text', async () => {
  const kind = await addPackage('@scope/kind', 'MIT');
  const choice = await addPackage('choice', '(GPL-2.0 OR ISC)');
  const notices = await thirdPartyNotices([`${kind}/a.js`, `${kind}/lib/b.js`, `${choice}/c.js`, 'src/cli.ts']);
  expect(notices.match(/@scope\/kind 1\.2\.3: MIT/g)).toHaveLength(1);
  expect(notices).toContain('choice 1.2.3: (GPL-2.0 OR ISC)\n\nText of choice');
});

test.for(['GPL-2.0-only', 'LGPL-3.0', 'MIT AND GPL-2.0-only', 'undefined'])('%s is refused', async (license) => {
  const stern = await addPackage('stern', license);
  await expect(thirdPartyNotices([`${stern}/a.js`])).rejects.toThrow(`stern (${license})`);
});

async function addPackage(name: string, license: string): Promise<string> {
  const home = join(folder, 'node_modules', name);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'package.json'), JSON.stringify({ name, version: '1.2.3', license }));
  await writeFile(join(home, 'LICENSE'), `Text of ${name}`);
  return home;
}

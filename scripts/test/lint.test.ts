import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A file that must fail the lint, and the rule that must be named. */
const bad = [
  [
    'a floating promise',
    'src/core/a.ts',
    'export function f(): void {\n  Promise.resolve(1);\n}',
    'no-floating-promises',
  ],
  ['a library that imports the domain', 'src/lib/b.ts', "export { f } from '../core/a.ts';", 'know nothing'],
  ['a library that imports a package', 'src/lib/c.ts', "export { z } from 'zod';", 'know nothing'],
  [
    'a store that imports the format',
    'src/storage/d.ts',
    "export { f } from '../repository/a.ts';",
    'its own SDK only',
  ],
  ['a format that imports an adapter', 'src/repository/e.ts', "export { f } from '../storage/s3.ts';", 'no adapter'],
  [
    'a domain that imports an adapter',
    'src/core/g.ts',
    "export { f } from '../engine/xtrabackup.ts';",
    'composition root',
  ],
  ['a domain that imports an SDK', 'src/core/h.ts', "export { f } from '@aws-sdk/client-s3';", 'composition root'],
  [
    'an engine that imports a store',
    'src/engine/d.ts',
    "export { f } from '../storage/storage.ts';",
    'its own tool only',
  ],
  ['a border that imports the domain', 'src/api/d.ts', "export { f } from '../core/a.ts';", 'crosses a process border'],
  ['a format that imports the domain', 'src/repository/f.ts', "export { f } from '../core/a.ts';", 'nothing above it'],
  ['a catalog that imports a role', 'src/catalog/a.ts', "export { f } from '../server/a.ts';", 'its own database only'],
  [
    'a catalog that imports a loop',
    'src/catalog/b.ts',
    "export { f } from '../control/a.ts';",
    'its own database only',
  ],
  [
    'a loop that imports the server',
    'src/control/a.ts',
    "export { f } from '../server/a.ts';",
    'what the catalog wants',
  ],
  ['a loop that picks an adapter', 'src/control/b.ts', "export { f } from '../catalog/sqlite.ts';", 'composition root'],
  ['a loop that imports an SDK', 'src/control/c.ts', "export { f } from 'fastify';", 'composition root'],
  ['a server that imports a role', 'src/server/a.ts', "export { f } from '../manager/a.ts';", 'whichever role serves'],
  ['a server that picks an adapter', 'src/server/b.ts', "export { f } from '../storage/s3.ts';", 'composition root'],
  [
    'an agent that imports a role',
    'src/agent/i.ts',
    "export { f } from '../cli/backup.ts';",
    'never import each other',
  ],
  ['an agent that picks an adapter', 'src/agent/j.ts', "export { f } from '../storage/s3.ts';", 'composition root'],
  [
    'a manager that imports a role',
    'src/manager/a.ts',
    "export { f } from '../agent/a.ts';",
    'never import each other',
  ],
  [
    'a manager that picks an adapter',
    'src/manager/b.ts',
    "export { f } from '../catalog/sqlite.ts';",
    'composition root',
  ],
  ...['agent/main', 'agent/system-host', 'manager/main', 'manager/state', 'manager/stores'].map(
    (root) =>
      [
        `${root}.ts, which may pick adapters, and imports a role, for this alone`,
        `src/${root}.ts`,
        "export { f } from '../storage/s3.ts';\nexport { g } from '../cli/backup.ts';",
        '^\\S+:2:.*never import each other.*$',
      ] as const,
  ),
  [
    'a page that imports the domain',
    'web/a.ts',
    "export { f } from '../src/core/a.ts';",
    'nothing else of the program',
  ],
  ["a page that imports Node's modules", 'web/b.ts', "export { join } from 'node:path';", 'runs in a browser'],
  ['an adapter loaded late', 'src/core/k.ts', "export const f = import('../storage/s3.ts');", 'composition root'],
  ['time not from the clock', 'src/core/l.ts', 'export const now = Date.now();', 'Clock'],
  ['an environment read deep inside', 'src/core/m.ts', 'export const e = process.env;', 'no-process-env'],
  ['a line on the console', 'src/core/n.ts', "console.log('x');", 'no-console'],
] as const;

/** What must pass: the same things where they belong; adapters in composition roots are in the files above. */
const good = [
  ['src/repository/o.ts', "export type { Storage } from '../storage/storage.ts';"],
  ['src/core/p.ts', "export type { Engine } from '../engine/engine.ts';\nexport { f } from '../repository/a.ts';"],
  ['src/cli/q.ts', "export { f } from '../engine/xtrabackup.ts';\nconsole.log(process.env);"],
  ['src/lib/clock.ts', 'export const now = Date.now();'],
  ['src/lib/r.test.ts', "export { z } from 'zod';"],
] as const;

let folder: string;
let findings: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-lint-'));
  await copyFile('.oxlintrc.json', join(folder, '.oxlintrc.json'));
  await copyFile('tsconfig.json', join(folder, 'tsconfig.json'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of [...bad.map(([, path, text]) => [path, text] as const), ...good]) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), `${text}\n`);
  }
  findings = await lint();
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test.for(bad)('%s fails the lint', ([, path, , reason]) => {
  expect(findingsIn(path)).toMatch(new RegExp(reason));
});

test.for(good)('%s passes the lint', ([path]) => {
  expect(findingsIn(path)).toBe('');
});

function lint(): Promise<string> {
  return new Promise((done, fail) => {
    const oxlint = resolve('node_modules/.bin/oxlint');
    execFile(oxlint, ['--format=agent'], { cwd: folder, timeout: 60_000 }, (error, output) => {
      return error?.code === 1 ? done(output) : fail(new Error(`The lint passed or did not run: ${output}`));
    });
  });
}

function findingsIn(path: string): string {
  return findings
    .split('\n')
    .filter((line) => line.includes(`${path}:`))
    .join('\n');
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Programs that tests start and kill again and again; bundled, they begin in half the time. */
const PROGRAMS = {
  agent: '../fixtures/agent.ts',
  'slow-agent': '../fixtures/slow-agent.ts',
  'manager-child': '../fixtures/manager-child.ts',
} as const;
/** Threads of theirs, which are programs of their own. */
const THREADS = {
  'block-worker': '../../src/repository/block-worker.ts',
  'range-worker': '../../src/repository/range-worker.ts',
} as const;
/** Tells the tests where they are. */
const FOLDER = 'HOLDFAST_TEST_PROGRAMS';

/** For vitest: bundles them before the tests. @returns what removes them */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'hf-programs-'));
  const entryPoints = Object.entries({ ...PROGRAMS, ...THREADS }).map(([out, path]) => ({
    out,
    in: fileURLToPath(new URL(path, import.meta.url)),
  }));
  await build({
    entryPoints,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  process.env[FOLDER] = folder;
  return () => rm(folder, { recursive: true, force: true });
}

/** What to start of it, and the environment in which Node keeps what it compiled of it. */
export function programOf(name: keyof typeof PROGRAMS): { readonly program: string; readonly env: NodeJS.ProcessEnv } {
  const folder = process.env[FOLDER];
  if (folder === undefined) throw new Error(`Cannot start ${name} as only integration tests have it bundled`);
  return {
    program: join(folder, `${name}.js`),
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  };
}

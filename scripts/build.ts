import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { buildWeb } from './build-web.ts';
import { thirdPartyNotices } from './notices.ts';

/** Bundles the program with all it needs into dist/, so that what users install has no dependencies. */
await rm('dist', { recursive: true, force: true });
const { version }: { version: string } = JSON.parse(await readFile('package.json', 'utf8'));
const { metafile } = await build({
  // Threads are programs of their own.
  entryPoints: {
    cli: 'src/cli.ts',
    'block-worker': 'src/repository/block-worker.ts',
    'range-worker': 'src/repository/range-worker.ts',
  },
  outdir: 'dist',
  bundle: true,
  // Roles are loaded when they are asked for, so each gets files of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // As modules, so that what is imported late has the names it has in Node.
  mainFields: ['module', 'main'],
  sourcemap: true,
  sourcesContent: false,
  define: { __HOLDFAST_VERSION__: JSON.stringify(version) },
  // CommonJS dependencies call require for Node's own modules, which a module has only if it makes one.
  banner: {
    js: "import { createRequire as holdfastRequire } from 'node:module';\nconst require = holdfastRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
await chmod('dist/cli.js', 0o755);
const webFiles = await buildWeb();
await writeFile('dist/THIRD_PARTY_NOTICES', await thirdPartyNotices([...Object.keys(metafile.inputs), ...webFiles]));
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`dist: ${Object.keys(metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB`);

import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';

/** Bytes of compressed JavaScript that the first page may need. */
const firstPageLimit = 250_000;
const firstPage = 'features/backups/backup-list.tsx';

/** Builds the pages into dist/web. @returns the files that they were made of. @throws Error when the first page has become too big */
export async function buildWeb(): Promise<string[]> {
  const built = await build({ configFile: 'vite.config.ts', logLevel: 'warn' });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((each) => ('output' in each ? each.output : []));
  const chunks = outputs.filter((output) => output.type === 'chunk');
  const bytes = firstPageBytes(chunks);
  console.log(
    `dist/web: ${outputs.length} files, ${(bytes / 1000).toFixed(0)} kB of compressed JavaScript for the first page`,
  );
  if (bytes > firstPageLimit)
    throw new Error(`The first page needs ${bytes} bytes of JavaScript; ${firstPageLimit} are allowed`);
  for (const { fileName } of outputs) await compress(join('dist/web', fileName));
  return chunks.flatMap(({ moduleIds }) => moduleIds).map((id) => relative(process.cwd(), id));
}

/** So that a manager sends it small without work: beside what is worth it lie `.br` and `.gz`. */
async function compress(path: string): Promise<void> {
  const bytes = await readFile(path);
  if (bytes.length < 1_000) return;
  const made = { '.br': brotliCompressSync(bytes), '.gz': gzipSync(bytes, { level: 9 }) };
  for (const [suffix, small] of Object.entries(made))
    if (small.length < bytes.length * 0.9) await writeFile(path + suffix, small);
}

/** The entry, the first page, and all that they import at once. */
function firstPageBytes(chunks: readonly Rolldown.OutputChunk[]): number {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const needed = new Set<Rolldown.OutputChunk>();
  const need = (chunk: Rolldown.OutputChunk | undefined): void => {
    if (chunk === undefined || needed.has(chunk)) return;
    needed.add(chunk);
    for (const name of chunk.imports) need(byName.get(name));
  };
  for (const chunk of chunks) {
    if (chunk.isEntry || chunk.facadeModuleId?.endsWith(firstPage) === true) need(chunk);
  }
  return [...needed].reduce((sum, { code }) => sum + gzipSync(code).length, 0);
}

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { memoryLimit } from './first-backup.ts';
import { measure, quote } from './measure.ts';
import type { Workbench } from './workbench.ts';

const source = fileURLToPath(new URL('synthetic-stream.ts', import.meta.url));

/** Memory with a stream whose size no disk here could hold. */
export async function measureSynthetic({
  options,
  folder,
  report,
  say,
}: Pick<Workbench, 'options' | 'folder' | 'report' | 'say'>): Promise<void> {
  const size = options.synthetic;
  say(`synthetic: ${(size / 1e12).toFixed(1)} TB of made-up bytes`);
  const program = join(folder, 'synthetic-stream.mjs');
  // What users install is bundled, too: run from the sources, Node's own compiler for types takes 50 MB.
  await build({ entryPoints: [source], outfile: program, bundle: true, format: 'esm', platform: 'node' });
  const measured = await measure([process.execPath, program, String(size)].map(quote).join(' '));
  const facts: unknown = JSON.parse(measured.stdout);
  report.fact('synthetic', facts);
  const { seconds, cpu, memory } = measured;
  const standing = { seconds, cpu, holdfastMemory: memory.holdfast, toolMemory: 0, extras: {}, rounds: [] };
  const name = `stream of ${(size / 1e12).toFixed(1)} TB, bytes dropped`;
  report.row({ part: 'synthetic', standing: { name, ...standing } });
  report.judge({ figure: `memory with a ${name}`, value: memory.holdfast, limit: memoryLimit, unit: 'bytes' });
}

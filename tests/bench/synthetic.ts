import { fileURLToPath } from 'node:url';
import { memoryLimit } from './first-backup.ts';
import { measure, quote } from './measure.ts';
import type { Workbench } from './workbench.ts';

const program = fileURLToPath(new URL('synthetic-stream.ts', import.meta.url));

/** Memory with a stream whose size no disk here could hold. */
export async function measureSynthetic({
  options,
  report,
  say,
}: Pick<Workbench, 'options' | 'report' | 'say'>): Promise<void> {
  const size = options.synthetic;
  say(`synthetic: ${(size / 1e12).toFixed(1)} TB of made-up bytes`);
  const measured = await measure([process.execPath, program, String(size)].map(quote).join(' '));
  const facts: unknown = JSON.parse(measured.stdout);
  report.fact('synthetic', facts);
  const { seconds, cpu, memory } = measured;
  const standing = { seconds, cpu, holdfastMemory: memory.holdfast, toolMemory: 0, extras: {}, rounds: [] };
  const name = `stream of ${(size / 1e12).toFixed(1)} TB, bytes dropped`;
  report.row({ part: 'synthetic', standing: { name, ...standing } });
  report.judge({ figure: `memory with a ${name}`, value: memory.holdfast, limit: memoryLimit, unit: 'bytes' });
}

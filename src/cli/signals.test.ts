import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

const signals = new URL('./signals.ts', import.meta.url).href;

/** A program that is told to end its command at once, having done this first. */
async function ended(before: string): Promise<{ code: number | string | null; stderr: string }> {
  const script = `
    import { open } from 'node:fs/promises';
    const { Interruption } = await import(${JSON.stringify(signals)});
    using interruption = new Interruption((line) => process.stderr.write(line + '\\n'));
    process.exitCode = 1;
    ${before}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 18_000,
    killSignal: 'SIGKILL',
  });
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code: child.signalCode ?? child.exitCode, stderr };
}

test.concurrent('a program whose file system hangs ends by force, and says so', { timeout: 20_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-signals-'));
  using _ = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  const pipe = join(folder, 'pipe');
  // To open one that nobody writes to hangs as a file system does whose server is gone.
  expect(spawnSync('/usr/bin/mkfifo', [pipe]).status).toBe(0);
  const { code, stderr } = await ended(`void open(${JSON.stringify(pipe)});`);
  expect(code).toBe('SIGKILL');
  expect(stderr).toMatch(/file system does not answer/);
});

test.concurrent('a program that only has something left to do is left alone', { timeout: 20_000 }, async () => {
  expect(await ended('setTimeout(() => undefined, 6000);')).toEqual({ code: 1, stderr: '' });
});

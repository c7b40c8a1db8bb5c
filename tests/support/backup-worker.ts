import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BackupEvent, BackupOrder } from './backup-runner.ts';

/** A process of its own that makes backups when told to. */
export interface BackupWorker extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when the attempt ended, or the process. Its events come as they happen; a dead process sends no more. */
  run(order: BackupOrder, onEvent: (event: BackupEvent) => void): Promise<Ending>;
  kill(): void;
}

export type Ending = Extract<BackupEvent, { event: 'sealed' | 'failed' }> | { readonly event: 'died' };

/** @param temporaryDirectory of the process */
export function startBackupWorker(temporaryDirectory: string): BackupWorker {
  const program = fileURLToPath(new URL('backup-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporaryDirectory },
  });
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  const died = once(child, 'exit');
  return {
    pid: child.pid ?? -1,
    run: (order, onEvent) =>
      new Promise((resolve) => {
        const onLine = (line: string): void => {
          const event: BackupEvent = JSON.parse(line);
          onEvent(event);
          if (event.event === 'sealed' || event.event === 'failed') end(event);
        };
        const end = (ending: Ending): void => {
          lines.off('line', onLine);
          resolve(ending);
        };
        lines.on('line', onLine);
        void died.then(() => end({ event: 'died' }));
        child.stdin.write(`${JSON.stringify(order)}\n`);
      }),
    kill: () => child.kill('SIGKILL'),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await died;
    },
  };
}

/** The backup tool that this process runs right now, if it does. */
export async function toolOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter((each) => each !== '')) {
    const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('--stream=xbstream')) return Number(child);
  }
  return undefined;
}

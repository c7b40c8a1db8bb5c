import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import type { Engine } from '../../src/engine/engine.ts';
import { Failure } from '../../src/lib/failure.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type BackupEvent, type BackupOrder, engineFor, openForRun, runBackup } from './backup-runner.ts';

/**
 * A process that makes backups, to be killed. Each line on its stdin is the order for one attempt, each line on its stdout
 * an event.
 */
function tell(event: BackupEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

let repository: Repository | undefined;
let engine: Engine | undefined;

async function obey(order: BackupOrder): Promise<void> {
  try {
    repository ??= await openForRun(order);
    engine ??= await engineFor(order);
    const sealed = await runBackup(order, { repository, engine, onEvent: tell });
    tell({ event: 'sealed', uploadedBytes: sealed.storedBytes });
  } catch (error) {
    const code = error instanceof Failure ? error.code : 'unknown';
    tell({ event: 'failed', code, message: String(error instanceof Error ? error.stack : error) });
  }
}

// It is killed before it could do so at its end.
flushCompileCache();
for await (const line of createInterface({ input: process.stdin })) await obey(JSON.parse(line));

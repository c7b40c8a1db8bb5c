import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { namesIn, readSmallFile, statIfThere } from './placement-files.ts';

/** A backup has one line in it. */
const limitBytes = 1024 * 1024;

/**
 * Makes the indexes of binary logs in a backup name the logs beside them. XtraBackup copies the line of the server that was backed
 * up: where its logs lay in a directory of their own, that is a path there, and a server that finds it does not start, or, on that
 * very host, takes the live logs for its own and in time removes them.
 */
export async function settleLogIndexes(directory: string): Promise<void> {
  const names = await namesIn(directory);
  for (const name of names.filter((each) => each.endsWith('.index'))) {
    const path = join(directory, name);
    if ((await statIfThere(path))?.isFile() !== true) continue;
    const lines = ((await readSmallFile(path, limitBytes)) ?? '').split('\n');
    const logs = lines.map((line) => basename(line)).filter((log) => names.includes(log));
    await writeFile(path, logs.map((log) => `./${log}\n`).join(''));
  }
}

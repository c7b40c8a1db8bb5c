import { mapConcurrently } from '../lib/concurrently.ts';
import { CorruptData } from '../lib/failure.ts';
import type { Sealed } from './documents.ts';
import { BLOCK_BYTES } from './extent.ts';
import { fetchBlocks, FetchTools } from './fetch-blocks.ts';
import { FileTable } from './file-table.ts';
import { IndexReader } from './index-reader.ts';
import type { RunTarget } from './range-job.ts';
import { runLength, runsOfLeaf, zeroBytes } from './plan-runs.ts';
import { learntFrom, restoringFailure } from './reading-failure.ts';
import type { Repository } from './repository.ts';
import { type PlannedRun, RestorePlan } from './restore-plan.ts';
import { walkFile } from './walk.ts';

export interface RestoreFilesOptions {
  /** An empty directory; it is created if it is absent. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Called with the plain bytes written so far and those of the whole backup. */
  readonly onProgress?: (bytes: number, total: number) => void;
}

export interface RestoredFiles {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Writes a backup's files into a directory, segment by segment. Every block is verified before it is written; when this
 * throws, the directory is not to be used. Every byte of the backup is accounted for. Nothing is synced to disk: `syncTree`
 * does it when the files are prepared.
 * A segment that turns out to be bad is noted.
 * @throws CorruptData, `restore-incomplete` among them; Failure `target-full`, `target-not-written`
 */
export async function restoreFiles(
  repository: Repository,
  sealed: Sealed,
  options: RestoreFilesOptions,
): Promise<RestoredFiles> {
  try {
    return await writeFiles(repository, sealed, options);
  } catch (error) {
    throw await learntFrom(restoringFailure(error, options.directory), repository);
  }
}

async function writeFiles(
  repository: Repository,
  sealed: Sealed,
  options: RestoreFilesOptions,
): Promise<RestoredFiles> {
  const { signal, directory, onProgress } = options;
  const index = await IndexReader.open(sealed, { ...repository, signal });
  const segments = (await index.segments()).map((use) => use.name).toSorted();
  await using files = new FileTable(directory);
  await using plan = new RestorePlan({ directory, segments: segments.length });
  const { sparse, zeros } = await planFiles({ index, segments, files, plan });
  const lengthOf = (run: PlannedRun): number => runLength(run, files.sizeOf(run.file));
  await using tools = new FetchTools(repository);
  let done = 0;
  const fetching = {
    signal,
    tools,
    lengthOf,
    targetOf: (run: PlannedRun): RunTarget => ({
      path: files.pathOf(run.file),
      position: run.firstBlock * BLOCK_BYTES,
      isSparse: sparse.has(run.file),
    }),
    onDone: (runs: readonly PlannedRun[]): void => {
      for (const run of runs) {
        files.written(run.file, lengthOf(run));
        done += lengthOf(run);
      }
      onProgress?.(done, sealed.logicalBytes);
    },
  };
  await mapConcurrently(plan.segments(), tools.segmentsAtOnce, async ({ segment, runs }) =>
    fetchBlocks(repository, { segment: segments[segment] ?? '', runs }, fetching),
  );
  await files.finish();
  refuseIncomplete(sealed, { written: done, zeros });
  return { files: sealed.files, bytes: sealed.logicalBytes };
}

/** A plan that lost some of its runs would leave zeros where there was data: the bytes are counted apart from the plan. */
function refuseIncomplete(
  { backup, logicalBytes }: Sealed,
  { written, zeros }: { readonly written: number; readonly zeros: number },
): void {
  if (written + zeros === logicalBytes) return;
  throw new CorruptData(
    'restore-incomplete',
    `Cannot restore backup ${backup} as its files came out incomplete: ${written} bytes and ${zeros} of zeros, not ${logicalBytes}`,
    {
      nextStep:
        'Do not use what was written. Restore again, or another backup; `holdfast repository check` tells which ones are whole.',
    },
  );
}

interface Planning {
  readonly index: IndexReader;
  readonly segments: readonly string[];
  readonly files: FileTable;
  readonly plan: RestorePlan;
}

interface PlannedFiles {
  /** Numbers of the files that had holes. */
  readonly sparse: ReadonlySet<number>;
  /** Bytes of all files that are zeros and need not be written. */
  readonly zeros: number;
}

/** Creates every file at its size and plans its blocks. */
async function planFiles({ index, segments, files, plan }: Planning): Promise<PlannedFiles> {
  const numbers = new Map(segments.map((name, number) => [name, number]));
  const segmentNumber = (name: string): number => {
    const number = numbers.get(name);
    if (number === undefined)
      throw new CorruptData('repository-damaged', `Cannot restore as the table of segments lacks ${name}`);
    return number;
  };
  const sparse = new Set<number>();
  let zeros = 0;
  for await (const entry of index.files()) {
    const file = await files.create(entry.path, entry.size);
    if (entry.isSparse) sparse.add(file);
    for await (const { extent, firstBlock } of walkFile(index, entry)) {
      for (const run of runsOfLeaf(extent, { file, firstBlock, segmentNumber })) await plan.add(run);
      zeros += zeroBytes(extent, { firstBlock, size: entry.size });
    }
  }
  return { sparse, zeros };
}

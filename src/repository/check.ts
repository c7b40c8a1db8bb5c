import { mapConcurrently } from '../lib/concurrently.ts';
import { CorruptData } from '../lib/failure.ts';
import { missingSegments } from './before-sealing.ts';
import type { Sealed } from './documents.ts';
import { fetchBlocks, FetchTools } from './fetch-blocks.ts';
import { IndexReader } from './index-reader.ts';
import { segmentKey } from './names.ts';
import type { Bad } from './notes.ts';
import { runLength, runsOfLeaf } from './plan-runs.ts';
import { learntFrom, readingFailure } from './reading-failure.ts';
import type { Repository } from './repository.ts';
import { type PlannedRun, RestorePlan } from './restore-plan.ts';
import { walkFile } from './walk.ts';

export interface CheckOptions {
  readonly signal: AbortSignal;
  /** Read every block back; without it only the index is read and segments are looked for. */
  readonly readData: boolean;
  /** Where the plan of a large backup may be spilled to. */
  readonly temporaryDirectory: string;
  readonly onProgress?: (bytes: number, total: number) => void;
}

export interface Checked {
  readonly files: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly bad: readonly Bad[];
}

/** Reads one backup and verifies what it reads; goes on after a bad segment, to name all of them. */
export async function checkBackup(repository: Repository, sealed: Sealed, options: CheckOptions): Promise<Checked> {
  try {
    return await readBackup(repository, sealed, options);
  } catch (error) {
    throw await learntFrom(readingFailure(error), repository);
  }
}

async function readBackup(repository: Repository, sealed: Sealed, options: CheckOptions): Promise<Checked> {
  const { signal, readData, onProgress } = options;
  const index = await IndexReader.open(sealed, { ...repository, signal });
  const uses = await index.segments();
  const missing = await missingSegments(repository, uses, signal);
  const bad = missing.map(({ name }) => ({ segment: name, reason: `${segmentKey(name)} is not there at its size` }));
  const lost = new Set(missing.map(({ name }) => name));
  const names = uses.map((use) => use.name).toSorted();
  await using plan = new RestorePlan({ directory: options.temporaryDirectory, segments: names.length });
  const { sizes, blocks } = await planBlocks(index, { names, plan: readData ? plan : undefined });
  await using tools = new FetchTools(repository);
  const lengthOf = (run: PlannedRun): number => runLength(run, sizes[run.file] ?? 0);
  let bytes = 0;
  const fetching = {
    signal,
    tools,
    lengthOf,
    onDone: (runs: readonly PlannedRun[]): void => {
      for (const run of runs) bytes += lengthOf(run);
      onProgress?.(bytes, sealed.logicalBytes);
    },
  };
  await mapConcurrently(plan.segments(), tools.segmentsAtOnce, async ({ segment, runs }) => {
    const name = names[segment] ?? '';
    if (lost.has(name)) return;
    const reason = await damageOf(fetchBlocks(repository, { segment: name, runs }, fetching));
    if (reason !== undefined) bad.push({ segment: name, reason });
  });
  return { files: sealed.files, blocks, bytes, bad };
}

/** Reads the whole index. @returns the files' sizes by number, and how many blocks they have. */
async function planBlocks(
  index: IndexReader,
  { names, plan }: { readonly names: readonly string[]; readonly plan: RestorePlan | undefined },
): Promise<{ sizes: number[]; blocks: number }> {
  const numbers = new Map(names.map((name, number) => [name, number]));
  const segmentNumber = (name: string): number => numbers.get(name) ?? lacking(name);
  const sizes: number[] = [];
  let blocks = 0;
  for await (const entry of index.files()) {
    const file = sizes.push(entry.size) - 1;
    for await (const { extent, firstBlock } of walkFile(index, entry)) {
      blocks += extent.count;
      const runs = runsOfLeaf(extent, { file, firstBlock, segmentNumber });
      for (const run of plan ? runs : []) await plan?.add(run);
    }
  }
  return { sizes, blocks };
}

/** @returns what is wrong with the stored bytes; undefined when nothing is. */
async function damageOf(reading: Promise<void>): Promise<string | undefined> {
  try {
    await reading;
    return undefined;
  } catch (error) {
    if (error instanceof CorruptData) return error.message;
    throw error;
  }
}

function lacking(name: string): never {
  throw new CorruptData('repository-damaged', `Cannot check as the table of segments lacks ${name}`);
}

import { basename, dirname, join } from 'node:path';

import * as z from 'zod';

import { CorruptData } from '../lib/failure.ts';
import { ownedSchema } from './areas.ts';
import { isMissing, namesIn, type PlacementFiles, readSmallFile } from './placement-files.ts';

/**
 * What a placement does and how far it is, durable before each phase begins, so that whoever finds it after a crash can go
 * on or go back. It lies beside the prepared directory.
 *
 * - `guarding`: stand-ins take the place of the guard files, whose originals are linked into `old` first
 * - `clearing`: what `oldNames` lists moves from `target` to `old`
 * - `filling`: what `newNames` lists moves from `prepared` to `target`
 * - `releasing`: the guard files replace the stand-ins
 * - `placed`: all is in; the placement is kept until it is confirmed or rolled back
 *
 * What `areas` lists moves in `clearing` and `filling`, within each area. With `direction: 'back'` the same phases run with `old` and `prepared` exchanged, and end in `reverted`.
 */
const journalSchema = z.object({
  /** 2 with areas: a release that knows none must not go on without them. */
  version: z.literal([1, 2]),
  id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  direction: z.enum(['in', 'back']),
  phase: z.enum(['guarding', 'clearing', 'filling', 'releasing', 'placed', 'reverted']),
  target: z.string().startsWith('/'),
  prepared: z.string().startsWith('/'),
  old: z.string().startsWith('/'),
  guardFiles: z.array(z.string().min(1)),
  owner: z.object({ uid: z.int(), gid: z.int() }),
  oldNames: z.array(z.string()),
  newNames: z.array(z.string()),
  /** Directories outside the target where the same phases move files, too. */
  areas: z
    .array(
      z.object({
        directory: z.string().startsWith('/'),
        prepared: z.string().startsWith('/'),
        old: z.string().startsWith('/'),
        owned: z.array(ownedSchema),
        oldNames: z.array(z.string()),
        newNames: z.array(z.string()),
      }),
    )
    .default([]),
});

export type Journal = z.infer<typeof journalSchema>;
export type JournalArea = Journal['areas'][number];
export type Phase = Journal['phase'];

const prefix = '.holdfast-placement-';
const limitBytes = 16 * 1024 * 1024;

export function journalPath(journal: Pick<Journal, 'id' | 'prepared'>): string {
  return join(dirname(journal.prepared), `${prefix}${journal.id}.json`);
}

export async function writeJournal(journal: Journal, files: PlacementFiles): Promise<void> {
  await files.writeDurably(journalPath(journal), `${JSON.stringify(journal, null, 2)}\n`);
}

export async function removeJournal(journal: Journal, files: PlacementFiles): Promise<void> {
  try {
    await files.unlink(journalPath(journal));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await files.syncDirectory(dirname(journal.prepared));
}

/** Paths of the journals in a directory: of the target itself, or of the one that holds it. */
export async function findJournals(directory: string): Promise<string[]> {
  const names = await namesIn(directory);
  return names.filter((name) => name.startsWith(prefix) && name.endsWith('.json')).map((name) => join(directory, name));
}

/** @throws CorruptData `placement-journal-unreadable` */
export async function readJournal(path: string): Promise<Journal> {
  const text = await readSmallFile(path, limitBytes);
  const parsed = journalSchema.safeParse(parseJson(text ?? ''));
  if (parsed.success && basename(journalPath(parsed.data)) === basename(path)) return parsed.data;
  throw new CorruptData(
    'placement-journal-unreadable',
    `Cannot go on with a placement as its journal cannot be read: ${path}`,
    {
      cause: parsed.error,
      nextStep: 'Look at the directories named .holdfast-* beside it: one holds the old data, one what was restored.',
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { isoTime } from '../lib/clock.ts';
import { CorruptData } from '../lib/failure.ts';
import { decodeDocument, encodeDocument, type Note, noteSchema } from './documents.ts';
import { newNoteKey, NOTES, notesPrefix, parseNoteKey, parseSegmentName } from './names.ts';
import { readDocument } from './read-object.ts';
import type { Repository } from './repository.ts';

/** What a note says, but for its time. */
export type NewNote = Note extends infer Each ? (Each extends Note ? Omit<Each, 'at'> : never) : never;

/**
 * Adds what was learnt of a backup after it was sealed. Notes are never changed. That a segment is bad is noted with the
 * backup that wrote it: so it is known as long as the segment is there, whoever found it.
 */
export async function addNote(
  repository: Repository,
  backup: string,
  { note, signal }: { note: NewNote; signal: AbortSignal },
): Promise<void> {
  const { storage, cipher, clock } = repository;
  const nowMs = clock.now();
  const owner = note.kind === 'bad-segment' ? parseSegmentName(note.segment)?.backup : undefined;
  const key = newNoteKey(owner ?? backup, { kind: note.kind, nowMs });
  await storage.put(key, encodeDocument({ ...note, at: isoTime(nowMs) }, { cipher, key }), { ifAbsent: true, signal });
}

export interface Bad {
  readonly segment: string;
  readonly reason: string;
}

/** Notes that segments are bad, of which nobody did before. */
export async function noteBadSegments(repository: Repository, bad: readonly Bad[], signal: AbortSignal): Promise<void> {
  const isNoted = bad.length > 0 ? await badSegments(repository, signal) : undefined;
  for (const { segment, reason } of bad) {
    const owner = parseSegmentName(segment)?.backup;
    if (owner === undefined || isNoted?.(segment) === true) continue;
    await addNote(repository, owner, { note: { kind: 'bad-segment', segment, reason }, signal });
  }
}

/** Oldest first. Throws CorruptData for a note that is not what was written. */
export async function readNotes(
  repository: Pick<Repository, 'storage'> & Partial<Repository>,
  backup: string,
  signal: AbortSignal,
): Promise<Note[]> {
  const notes: Note[] = [];
  for await (const { key } of repository.storage.list(notesPrefix(backup), { signal })) {
    if (parseNoteKey(key) === undefined) continue;
    notes.push(
      decodeDocument(await readDocument(repository.storage, key, signal), {
        schema: noteSchema,
        cipher: repository.cipher,
        key,
      }),
    );
  }
  return notes;
}

/** Tells the segments in which a bad block was found: no backup leans on them again. */
export async function badSegments(repository: Repository, signal: AbortSignal): Promise<(segment: string) => boolean> {
  const bad = new Set<string>();
  const doubtful = new Set<string>();
  for await (const { key } of repository.storage.list(NOTES, { signal })) {
    const name = parseNoteKey(key);
    if (name?.kind !== 'bad-segment') continue;
    const segment = await badSegmentOf(repository, key, signal);
    if (segment === undefined) doubtful.add(name.backup);
    else bad.add(segment);
  }
  return (segment) => bad.has(segment) || doubtful.has(parseSegmentName(segment)?.backup ?? '');
}

/** @returns undefined where the note cannot be read: then any segment of its backup may be meant. */
async function badSegmentOf(repository: Repository, key: string, signal: AbortSignal): Promise<string | undefined> {
  const { storage, cipher } = repository;
  try {
    const note = decodeDocument(await readDocument(storage, key, signal), { schema: noteSchema, cipher, key });
    return note.kind === 'bad-segment' ? note.segment : undefined;
  } catch (error) {
    if (error instanceof CorruptData) return undefined;
    throw error;
  }
}

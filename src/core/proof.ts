import type { Note, Sealed } from '../repository/documents.ts';

/**
 * What is known of a sealed backup. It climbs from `sealed` (complete by its own index) to `checked` (every byte read back) and
 * `proven` (restored, started and queried); anything bad that was found later counts more.
 */
export interface Proof {
  readonly level: 'sealed' | 'checked' | 'proven' | 'failed' | 'damaged';
  /** ISO 8601: when it was learnt. */
  readonly at: string;
  /** Of `failed` and `damaged`. */
  readonly reason?: string;
}

/** @param notes in any order */
export function proofOf({ sealedAt }: Pick<Sealed, 'sealedAt'>, notes: readonly Note[]): Proof {
  const sorted = notes.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const last = <Kind extends Note['kind']>(kind: Kind): Extract<Note, { kind: Kind }> | undefined =>
    sorted.filter((note) => isOfKind(note, kind)).at(-1);
  const proven = last('proven');
  const checked = last('checked');
  return (
    unless(last('bad-segment'), 'damaged', [proven, checked]) ??
    unless(last('failed-proof'), 'failed', [proven]) ??
    (proven && { level: 'proven', at: proven.at }) ??
    (checked && { level: 'checked', at: checked.at }) ?? { level: 'sealed', at: sealedAt }
  );
}

/** What is bad counts unless something good was learnt later. */
function unless(
  bad: { readonly at: string; readonly reason: string } | undefined,
  level: 'damaged' | 'failed',
  good: readonly ({ readonly at: string } | undefined)[],
): Proof | undefined {
  if (!bad || good.some((note) => note !== undefined && note.at > bad.at)) return undefined;
  return { level, at: bad.at, reason: bad.reason };
}

function isOfKind<Kind extends Note['kind']>(note: Note, kind: Kind): note is Extract<Note, { kind: Kind }> {
  return note.kind === kind;
}

/** Pinned backups are not deleted. */
export function isPinned(notes: readonly Note[]): boolean {
  const sorted = notes.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  return sorted.findLast((note) => note.kind === 'pinned' || note.kind === 'unpinned')?.kind === 'pinned';
}

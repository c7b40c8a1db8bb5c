import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { CorruptData, Failure } from '../../lib/failure.ts';
import { checkBackup, type Checked } from '../../repository/check.ts';
import type { Sealed } from '../../repository/documents.ts';
import { listBackups } from '../../repository/list.ts';
import { addNote, noteBadSegments } from '../../repository/notes.ts';
import type { Repository } from '../../repository/repository.ts';
import { ObjectNotFound } from '../../storage/storage.ts';
import type { Context, Invocation } from '../context.ts';
import { findSealed } from '../find-backup.ts';
import { formatBytes, plural } from '../../api/figures.ts';
import { Progress } from '../progress.ts';
import { openFully } from '../store.ts';

const optionsSchema = z.object({ readData: z.boolean().default(false), service: z.string().optional() });

interface Verdict {
  readonly backup: string;
  readonly checked?: Checked;
  /** Why it does not restore; undefined when it is good. */
  readonly damage?: string;
}

export async function checkCommand({ context, args, options: raw }: Invocation): Promise<void> {
  const { output } = context;
  const { readData, service } = optionsSchema.parse(raw);
  await using opened = await openFully(context);
  const { repository } = opened;
  const wanted = await wantedBackups(repository, { context, args, service });
  if (wanted.length === 0) output.text('No complete backup is here: nothing to check.');
  await using work = await temporaryDirectory();
  let damaged = 0;
  for (const [index, each] of wanted.entries()) {
    const step = `checking ${index + 1} of ${wanted.length}: ${each.backup}`;
    const verdict =
      'damage' in each ? each : await checkOne(repository, each, { context, readData, step, directory: work.path });
    if (verdict !== each) await takeNotes(repository, verdict, { context, readData });
    report(verdict, context, readData);
    if (verdict.damage !== undefined) damaged += 1;
  }
  output.json({ type: 'result', backups: wanted.length, damaged, readData });
  if (damaged > 0) {
    throw new CorruptData(
      'backup-damaged',
      `Cannot call this repository good as ${plural(damaged, 'backup is', 'backups are')} damaged`,
      {
        nextStep:
          'Take a new backup now: it leans on nothing that is known to be bad. Delete the damaged ones afterwards.',
      },
    );
  }
  if (wanted.length > 0) output.remark(`All good: ${plural(wanted.length, 'backup')}.`);
}

/** One whose seal or notes cannot be used: whose it is cannot be told, so it is named whatever is asked for. */
type Unreadable = Required<Pick<Verdict, 'backup' | 'damage'>>;

async function wantedBackups(
  repository: Repository,
  { context: { signal }, args, service }: { context: Context; args: readonly string[]; service: string | undefined },
): Promise<(Sealed | Unreadable)[]> {
  if (args.length > 0) {
    const found: Sealed[] = [];
    for (const text of args) found.push(await findSealed(repository, text, { signal, service }));
    return found;
  }
  const all = await listBackups(repository, { signal });
  return all.flatMap((each): (Sealed | Unreadable)[] => {
    if (each.state === 'damaged') return [{ backup: each.backup, damage: each.reason }];
    return each.state === 'sealed' && (service ?? each.sealed.service) === each.sealed.service ? [each.sealed] : [];
  });
}

interface OneCheck {
  readonly context: Context;
  readonly readData: boolean;
  readonly step: string;
  readonly directory: string;
}

async function checkOne(
  repository: Repository,
  sealed: Sealed,
  { context, readData, step, directory }: OneCheck,
): Promise<Verdict> {
  const { backup } = sealed;
  using progress = new Progress(context.output, context);
  progress.update({ step });
  try {
    const checked = await checkBackup(repository, sealed, {
      signal: context.signal,
      readData,
      temporaryDirectory: directory,
      onProgress: (done, total) => progress.update({ step, done, total }),
    });
    const [first] = checked.bad;
    if (!first) return { backup, checked };
    return {
      backup,
      checked,
      damage: `${plural(checked.bad.length, 'segment is', 'segments are')} bad: ${first.reason}`,
    };
  } catch (error) {
    if (isDamage(error)) return { backup, damage: error.message };
    throw error;
  }
}

function isDamage(error: unknown): error is Failure {
  if (error instanceof CorruptData || error instanceof ObjectNotFound) return true;
  return error instanceof Failure && error.code === 'segment-gone';
}

async function takeNotes(
  repository: Repository,
  { backup, checked, damage }: Verdict,
  { context: { signal }, readData }: { context: Context; readData: boolean },
): Promise<void> {
  await noteBadSegments(repository, checked?.bad ?? [], signal);
  if (damage !== undefined)
    await addNote(repository, backup, { note: { kind: 'failed-proof', reason: damage }, signal });
  else if (readData && checked) {
    const { bytes, blocks } = checked;
    await addNote(repository, backup, { note: { kind: 'checked', bytes, blocks }, signal });
  }
}

function report({ backup: id, checked, damage }: Verdict, { output }: Context, readData: boolean): void {
  output.json({ type: 'backup', id, isGood: damage === undefined, damage, ...checked });
  if (damage !== undefined) {
    output.text(`${id}  DAMAGED: ${damage}`, ...(checked?.bad ?? []).map(({ segment }) => `  bad segment ${segment}`));
    return;
  }
  const what = readData
    ? `${formatBytes(checked?.bytes ?? 0)} read back and verified`
    : 'its index is good and no segment is missing';
  output.text(`${id}  good: ${what}`);
}

async function temporaryDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-check-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

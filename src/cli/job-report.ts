import { formatBytes, formatDuration, plural } from '../api/figures.ts';
import { formatServer } from './format.ts';
import type { Output } from './output.ts';
import { plainText } from './plain-text.ts';
import { formatFacts } from './table.ts';

/** What a finished backup is told by, whether this process or an agent made it. */
export interface BackupFigures {
  readonly backup: string;
  readonly name: string;
  readonly service: string;
  readonly source: { readonly vendor: string; readonly serverVersion: string };
  readonly startedAt: string;
  readonly sealedAt: string;
  readonly gtid: string;
  readonly binlog?: { readonly file: string; readonly position: string } | undefined;
  readonly parent?: string | undefined;
  readonly files: number;
  readonly logicalBytes: number;
  readonly storedBytes: number;
}

export interface Timed {
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
}

export interface DrillFigures extends Timed {
  readonly serverVersion: string;
  readonly tables: number;
  readonly views: number;
  readonly unchecked: readonly string[];
  readonly checksums: Readonly<Record<string, string>>;
}

/** @param options `called`: what people call it; default its id */
export function reportBackup(
  output: Output,
  sealed: BackupFigures,
  { tookMs, called = sealed.backup }: { readonly tookMs: number; readonly called?: string },
): void {
  output.json({ type: 'result', ...sealed, id: sealed.backup, tookMs: Math.round(tookMs) });
  const { storedBytes, logicalBytes, binlog, parent, gtid } = sealed;
  const share = logicalBytes === 0 ? '' : ` (${((100 * storedBytes) / logicalBytes).toFixed(1)} % of it)`;
  const facts: [string, string | undefined][] = [
    ['Server', formatServer(sealed.source)],
    ['Size', `${formatBytes(logicalBytes)} in ${plural(sealed.files, 'file')}`],
    ['Uploaded', `${formatBytes(storedBytes)}${share}`],
    ['Compared with', parent ?? 'nothing: the first backup of this data directory'],
    ['Binary log', binlog && `${binlog.file}, position ${binlog.position}`],
    ['GTID', gtid === '' ? undefined : gtid],
    ['Took', formatDuration(tookMs)],
  ];
  output.text(`Backup ${called} of ${plainText(sealed.service)} is complete.`);
  output.remark(...indented(facts));
  output.remark(`To prove that it restores: holdfast drill ${called}`);
}

export function reportRestore(
  output: Output,
  restored: Timed & { readonly backup: string; readonly target: string } & OldData,
): void {
  output.json({ type: 'result', ...restored, id: restored.backup });
  output.text(`Restored ${restored.backup} into ${restored.target}.`);
  output.remark(...indented([['Steps', stepWords(restored)]]));
  const [first, ...more] = [...(restored.old === undefined ? [] : [restored.old]), ...(restored.oldElsewhere ?? [])];
  if (first === undefined) return;
  if (more.length === 0) return output.text(`What was there before is kept in ${first}; remove it when you are sure.`);
  output.text('What was there before is kept in these places; remove them when you are sure:');
  output.text(...[first, ...more].map((path) => `  ${path}`));
}

interface OldData {
  readonly old?: string | undefined;
  /** Paths outside that one that belong to the old data. */
  readonly oldElsewhere?: readonly string[];
}

export function reportDrill(output: Output, backup: string, drilled: DrillFigures): void {
  output.json({ type: 'result', ...drilled, id: backup });
  const { serverVersion, tables, views, unchecked, checksums } = drilled;
  output.text(`Backup ${backup} is proven: it restores, and every table that was checked is good.`);
  output.remark(
    ...indented([
      ['Server', serverVersion],
      ['Tables', `${tables} checked, ${plural(views, 'view')} not opened`],
      ['Not checked', unchecked.length === 0 ? undefined : unchecked.join(', ')],
      ['Steps', stepWords(drilled)],
    ]),
  );
  const sums = Object.entries(checksums).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (sums.length > 0) output.text('Checksums', ...formatFacts(sums).map((line) => `  ${line}`));
}

function stepWords({ steps }: Timed): string {
  return steps.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(', ');
}

function indented(facts: readonly (readonly [string, string | undefined])[]): string[] {
  const there = facts.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
  return formatFacts(there).map((line) => `  ${line}`);
}

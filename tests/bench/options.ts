import { parseArgs } from 'node:util';

/** What can be measured; the first four are, unless others are named. */
export const parts = ['first', 'restore', 'recent', 'scattered', 'tables', 'synthetic', 'ninety'] as const;
export type Part = (typeof parts)[number];
const usualParts: readonly Part[] = ['first', 'restore', 'recent', 'scattered'];

export interface BenchOptions {
  readonly parts: ReadonlySet<Part>;
  readonly rounds: number;
  /** Bytes of the data set's files. */
  readonly size: number;
  /** Tables of the many-tables part. */
  readonly tables: number;
  /** Bytes of the synthetic stream. */
  readonly synthetic: number;
  /** Backups taken by the ninety part. */
  readonly days: number;
  /** Where the figures are written as JSON. */
  readonly result: string;
  readonly help: boolean;
}

export const usage = `npm run bench -- [options]

Measures Holdfast beside mariadb-backup and zstd, on a data set made for it and kept in the cache folder.

  --size SIZE        bytes of the data set, e.g. 200M, 2G, 10G (default 2G)
  --rounds N         rounds of each comparison; the median counts (default 3)
  --only NAME        only this part; can be given again: ${parts.join(', ')}
  --tables N         add: memory with so many tables (100000 when only named by --only)
  --synthetic SIZE   add: memory with a stream of this size whose bytes are made up (10T when only named by --only)
  --ninety           add: ninety backups of a small data set, seven kept
  --days N           backups of that part (default 90)
  --result FILE      where the figures go (default bench-result.json)
`;

/** Throws an Error that says what is wrong with the arguments. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      size: { type: 'string', default: '2G' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: [] },
      tables: { type: 'string' },
      synthetic: { type: 'string' },
      ninety: { type: 'boolean', default: false },
      days: { type: 'string', default: '90' },
      result: { type: 'string', default: 'bench-result.json' },
      help: { type: 'boolean', default: false },
    },
  });
  const added: readonly (Part | false)[] = [
    values.tables !== undefined && 'tables',
    values.synthetic !== undefined && 'synthetic',
    values.ninety && 'ninety',
  ];
  const chosen = values.only.length > 0 ? values.only.map(partOf) : [...usualParts, ...added];
  return {
    parts: new Set(chosen.filter((part) => part !== false)),
    rounds: count(values.rounds),
    size: parseBytes(values.size),
    tables: count(values.tables ?? '100000'),
    synthetic: parseBytes(values.synthetic ?? '10T'),
    days: count(values.days),
    result: values.result,
    help: values.help,
  };
}

function partOf(name: string): Part {
  const part = parts.find((each) => each === name);
  if (part === undefined) throw new Error(`there is no part ${name}: the parts are ${parts.join(', ')}`);
  return part;
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a number above 0`);
  return number;
}

function parseBytes(text: string): number {
  const match = /^(\d+)([MGT])$/.exec(text);
  if (!match) throw new Error(`${text} is not a size such as 200M, 2G or 10T`);
  return Number(match[1]) * 1024 ** (2 + 'MGT'.indexOf(match[2] ?? ''));
}

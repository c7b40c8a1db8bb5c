import { writeFile } from 'node:fs/promises';
import type { Standing } from './contest.ts';

/** A figure that must not be above its limit. */
export interface Judged {
  readonly figure: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: Unit;
}

export type Unit = 'ratio' | 'percent' | 'bytes';

/** A contender's row, with the ratio to what it is compared with. */
export interface Row {
  readonly part: string;
  readonly standing: Standing;
  readonly ratio?: number;
}

/** Collects what is measured and shows it. */
export class Report {
  readonly #rows: Row[] = [];
  readonly #judged: Judged[] = [];
  readonly #facts: Record<string, unknown>;

  constructor(facts: Record<string, unknown>) {
    this.#facts = facts;
  }

  row(row: Row): void {
    this.#rows.push(row);
  }

  judge(judged: Judged): void {
    this.#judged.push(judged);
  }

  fact(name: string, value: unknown): void {
    this.#facts[name] = value;
  }

  get passed(): boolean {
    return this.#judged.every(isWithin);
  }

  async write(file: string): Promise<void> {
    const judged = this.#judged.map((each) => ({ ...each, passed: isWithin(each) }));
    await writeFile(file, `${JSON.stringify({ ...this.#facts, limits: judged, rows: this.#rows }, undefined, 2)}\n`);
  }

  text(): string {
    const rows = this.#rows.map(({ part, standing, ratio }) => [
      part,
      standing.name,
      standing.seconds.toFixed(2),
      standing.cpu.toFixed(2),
      ratio === undefined ? '' : ratio.toFixed(2),
      standing.holdfastMemory === 0 ? '' : shown(standing.holdfastMemory, 'bytes'),
      shown(standing.toolMemory, 'bytes'),
      standing.extras['stored'] === undefined ? '' : shown(standing.extras['stored'], 'bytes'),
    ]);
    const limits = this.#judged.map((each) => [
      each.figure,
      shown(each.value, each.unit),
      `≤ ${shown(each.limit, each.unit)}`,
      isWithin(each) ? 'pass' : 'FAIL',
    ]);
    return [
      table(['part', 'what', 'wall s', 'cpu s', 'ratio', 'memory', 'tools’', 'stored'], rows),
      table(['figure', 'measured', 'limit', ''], limits),
    ].join('\n');
  }
}

function isWithin({ value, limit }: Judged): boolean {
  return value <= limit;
}

function shown(value: number, unit: Unit): string {
  if (unit === 'ratio') return value.toFixed(2);
  if (unit === 'percent') return `${(value * 100).toFixed(value < 0.01 ? 3 : 1)} %`;
  return value < 10e6 ? `${(value / 1e6).toFixed(2)} MB` : `${Math.round(value / 1e6)} MB`;
}

/** As Markdown, so that it can be put into a document. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const widths = head.map((title, at) => Math.max(3, title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (at < 2 ? (cells[at] ?? '').padEnd(width) : (cells[at] ?? '').padStart(width))).join(' | ')} |`;
  return `${[line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')}\n`;
}

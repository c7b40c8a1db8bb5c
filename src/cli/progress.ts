import type { Clock } from '../lib/clock.ts';
import { formatBytes, formatDuration } from '../api/figures.ts';
import type { Output } from './output.ts';

export interface ProgressState {
  readonly step: string;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
  /** What `done` counts; default bytes. */
  readonly unit?: string;
  /** More for the end of the line. Asked for only when the line is shown: there are thousands of states for each that is. */
  readonly note?: () => string;
}

const redrawMs = 100;
const jsonMs = 1_000;
const plainMs = 10_000;
const rateWindowMs = 10_000;
const barWidth = 24;

interface Sample {
  readonly at: number;
  readonly done: number;
}

/**
 * Shows how far something is: a bar where stderr is a terminal, else a line every 10 seconds and for each new step; JSON once
 * a second. Disposing takes the bar away.
 */
export class Progress implements Disposable {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #isTerminal: boolean;
  #samples: Sample[] = [];
  #step: string | undefined;
  #shownAt = -Infinity;
  #isDrawn = false;

  constructor(output: Output, { clock, isTerminal = process.stderr.isTTY }: { clock: Clock; isTerminal?: boolean }) {
    this.#output = output;
    this.#clock = clock;
    this.#isTerminal = isTerminal && !output.isJson;
    output.onClear(() => this.#erase());
  }

  update(state: ProgressState): void {
    const now = this.#clock.elapsed();
    const isNewStep = state.step !== this.#step;
    if (isNewStep) this.#samples = [];
    this.#step = state.step;
    const period = this.#output.isJson ? jsonMs : this.#isTerminal ? redrawMs : plainMs;
    if (!isNewStep && now - this.#shownAt < period) return;
    this.#sample(state, now);
    this.#shownAt = now;
    if (!this.#output.isQuiet) this.#show(state);
  }

  [Symbol.dispose](): void {
    this.#erase();
    this.#output.onClear(() => undefined);
  }

  #show(state: ProgressState): void {
    const rate = this.#rate();
    if (this.#output.isJson) {
      const { step, done, total } = state;
      this.#output.json({ type: 'progress', step, done, total, ratePerSecond: Math.round(rate) });
      return;
    }
    const line = progressLine(state, rate, this.#isTerminal);
    if (!this.#isTerminal) {
      this.#output.stderr(line);
      return;
    }
    const columns = process.stderr.columns;
    process.stderr.write(`\r\u001B[K${columns > 0 ? line.slice(0, columns - 1) : line}`);
    this.#isDrawn = true;
  }

  #sample({ done }: ProgressState, at: number): void {
    if (done === undefined) return;
    this.#samples.push({ at, done });
    const oldest = this.#samples.findIndex((sample) => sample.at >= at - rateWindowMs);
    if (oldest > 1) this.#samples.splice(0, oldest - 1);
  }

  /** Units per second, over the last ten seconds or so. */
  #rate(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return 0;
    return ((last.done - first.done) * 1000) / (last.at - first.at);
  }

  #erase(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    process.stderr.write('\r\u001B[K');
  }
}

/** Pure: the line for a state, with a bar if it is for a terminal. */
export function progressLine(state: ProgressState, rate: number, hasBar: boolean): string {
  const { step, done, total, unit, note } = state;
  const count = (value: number): string => (unit === undefined ? formatBytes(value) : `${Math.round(value)} ${unit}`);
  const parts: (string | undefined)[] = [step];
  if (done !== undefined) {
    parts.push(...(total ? shareOf(done, total, hasBar) : []), count(done) + (total ? ` of ${count(total)}` : ''));
    if (rate > 0) parts.push(`${count(rate)}/s`, remaining(done, total, rate));
  }
  return [...parts, note?.()].filter((part) => part !== undefined).join('  ');
}

function shareOf(done: number, total: number, hasBar: boolean): string[] {
  const share = Math.min(1, done / total);
  const filled = Math.round(share * barWidth);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
  return [...(hasBar ? [bar] : []), `${Math.floor(share * 100)} %`];
}

function remaining(done: number, total: number | undefined, rate: number): string | undefined {
  return total !== undefined && total > done ? `${formatDuration(((total - done) / rate) * 1000)} left` : undefined;
}

import { readFileSync } from 'node:fs';

/** Processor time of this machine since it started, ticks of the kernel. */
export interface ProcessorTime {
  readonly all: number;
  /** What the host gave to others while a program here could have gone on: `steal` of proc(5). */
  readonly stolen: number;
}

export function processorTime(): ProcessorTime {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in user and nice already.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[7] ?? 0 };
}

/** The part of all processors' time since then that was stolen: 0 to 1. */
export function stolenSince(before: ProcessorTime): number {
  const now = processorTime();
  return (now.stolen - before.stolen) / Math.max(1, now.all - before.all);
}

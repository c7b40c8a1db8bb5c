import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Resident memory of a command's processes, bytes. */
export interface PeakMemory {
  /** Most that all of Holdfast's own processes together had at one time. */
  readonly holdfast: number;
  /** Most that all the others together had: the tools. */
  readonly tools: number;
}

const intervalMs = 50;

/** Looks at a process and all below it every 50 ms until `stop`. A process's own high-water mark counts, too. */
export function watchMemory(root: number, onSample?: (now: PeakMemory) => void): { stop(): PeakMemory } {
  const peak = { holdfast: 0, tools: 0 };
  const look = (): void => {
    const now = { holdfast: 0, tools: 0 };
    for (const pid of withDescendants(root)) {
      const memory = memoryOf(pid);
      if (!memory) continue;
      const kind = isHoldfast(pid) ? 'holdfast' : 'tools';
      now[kind] += memory.now;
      peak[kind] = Math.max(peak[kind], memory.peak);
    }
    peak.holdfast = Math.max(peak.holdfast, now.holdfast);
    peak.tools = Math.max(peak.tools, now.tools);
    onSample?.(now);
  };
  const timer = setInterval(look, intervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

function withDescendants(pid: number): number[] {
  const found = [pid];
  for (let at = 0; at < found.length; at += 1) found.push(...childrenOf(found[at] ?? 0));
  return found;
}

function childrenOf(pid: number): number[] {
  try {
    // A child belongs to the thread that made it.
    const threads = readdirSync(`/proc/${pid}/task`);
    const lists = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'));
    const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
    // One that has not become another program yet shows all of its parent's memory as its own, which the two share.
    return children.filter((child) => commandOf(child) !== commandOf(pid));
  } catch {
    return [];
  }
}

/** Empty when the process is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Undefined when the process is gone. */
function memoryOf(pid: number): { readonly now: number; readonly peak: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    return { now: field('VmRSS') * 1024, peak: field('VmHWM') * 1024 };
  } catch {
    return undefined;
  }
}

/** What runs in Node but the stand-in for a tool. */
function isHoldfast(pid: number): boolean {
  try {
    const isStandIn = commandOf(pid).includes('made-tables.ts');
    return basename(readlinkSync(`/proc/${pid}/exe`)) === 'node' && !isStandIn;
  } catch {
    return false;
  }
}

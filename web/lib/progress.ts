import { useCallback, useSyncExternalStore } from 'react';
import type { ManagerEvent } from '../../src/api/events.ts';
import type { JobProgress } from '../../src/api/jobs.ts';
import type { RunKind } from '../../src/api/resources.ts';

/** Bytes done at a time of this browser's clock, in milliseconds. */
export interface Sample {
  readonly at: number;
  readonly bytes: number;
}

export interface LiveProgress {
  readonly progress: JobProgress;
  /** Oldest first, of the step at hand. */
  readonly samples: readonly Sample[];
}

/** More are thinned out, so that a day's run costs no more than a minute's. */
const maximumSamples = 400;

const latest = new Map<string, LiveProgress>();
const listeners = new Map<string, Set<() => void>>();

export function recordProgress(event: Extract<ManagerEvent, { type: 'progress' }>, now = Date.now()): void {
  const key = keyOf(event.kind, event.name);
  latest.set(key, withSample(latest.get(key), { progress: event.progress, now }));
  for (const listener of listeners.get(key) ?? []) listener();
}

/** What was told last of a run, at most a second old while it runs; undefined before anything was. */
export function useLiveProgress(kind: RunKind, name: string): LiveProgress | undefined {
  const key = keyOf(kind, name);
  const subscribe = useCallback((listener: () => void) => listen(key, listener), [key]);
  return useSyncExternalStore(subscribe, () => latest.get(key));
}

export function withSample(
  before: LiveProgress | undefined,
  { progress, now }: { progress: JobProgress; now: number },
): LiveProgress {
  const sample = { at: now, bytes: progress.bytes.read };
  // A step counts its own bytes, and a new attempt begins again.
  const goesOn = before?.progress.step === progress.step && before.progress.bytes.read <= progress.bytes.read;
  return { progress, samples: goesOn ? thinned([...before.samples, sample]) : [sample] };
}

function thinned(samples: readonly Sample[]): readonly Sample[] {
  if (samples.length <= maximumSamples) return samples;
  return samples.filter((_, index) => index % 2 === 0 || index === samples.length - 1);
}

function listen(key: string, listener: () => void): () => void {
  const those = listeners.get(key) ?? new Set();
  listeners.set(key, those.add(listener));
  return () => {
    those.delete(listener);
    if (those.size === 0) listeners.delete(key);
  };
}

function keyOf(kind: RunKind, name: string): string {
  return `${kind}/${name}`;
}

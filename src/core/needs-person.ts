import { Failure } from '../lib/failure.ts';

const codes: ReadonlySet<string> = new Set(['roll-back-failed', 'placement-unfinished']);

/** Failures that leave a server down or data on its way: a person must see them, whatever else was asked for meanwhile. */
export function needsPerson(error: unknown): boolean {
  return error instanceof Failure && codes.has(error.code);
}

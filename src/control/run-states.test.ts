import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobFailure } from '../api/jobs.ts';
import { type BackupState, backupStateSchema, backupStatusSchema } from '../api/runs.ts';
import { isoTime } from '../lib/clock.ts';
import {
  begin,
  cancel,
  deleted,
  fail,
  failDeleting,
  hasEnded,
  hold,
  mayBecome,
  run,
  startDeleting,
  succeed,
} from './run-states.ts';

type Status = ReturnType<typeof backupStatusSchema.parse>;
type Step = (status: Status, at: string) => Status;

const failure: JobFailure = { code: 'x', message: 'Cannot', evidence: [], causes: [], isPermanent: false };
const steps: Readonly<Record<string, Step>> = {
  begin: (status, at) => begin(status, at),
  hold: (status) => hold(status, ['Backup b is under way.']),
  run: (status) => run(status),
  succeed: (status, at) => succeed(status, at),
  retryLater: (status, at) => fail(status, { at, failure, next: at }),
  fail: (status, at) => fail(status, { at, failure, next: undefined }),
  cancel: (status, at) => cancel(status, at),
  startDeleting: (status) => startDeleting(status),
  deleted: (status, at) => deleted(status, at),
  failDeleting: (status) => failDeleting(status, failure),
};
const fresh: Status = backupStatusSchema.parse({
  state: 'Pending',
  id: '20261121T014327Z-9f3a21bc',
  attempt: 0,
  attempts: [],
});

/** Takes every step that can be taken, and skips the others. */
function walk(names: readonly string[]): Status[] {
  const walked = [fresh];
  for (const [index, name] of names.entries()) {
    const last = walked.at(-1) ?? fresh;
    try {
      walked.push(steps[name]?.(last, isoTime(1_700_000_000_000 + index * 1000)) ?? last);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return walked;
}

const walks = fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 60 });

describe('states of a run', () => {
  it('follow the table, whatever happens in whatever order, and are what the catalog takes', () => {
    fc.assert(
      fc.property(walks, (names) => {
        const walked = walk(names);
        for (const [index, status] of walked.entries()) {
          const before = walked[index - 1];
          if (before) expect(mayBecome(before.state, status.state)).toBe(true);
          expect(backupStatusSchema.parse(JSON.parse(JSON.stringify(status))).state).toBe(status.state);
        }
      }),
    );
  });

  it('count attempts from 1 without a gap, and never change one that has ended', () => {
    fc.assert(
      fc.property(walks, (names) => {
        let ended: Status['attempts'] = [];
        for (const status of walk(names)) {
          expect(status.attempts.map(({ number }) => number)).toEqual(
            Array.from({ length: status.attempt }, (_, index) => index + 1),
          );
          expect(status.attempts.slice(0, ended.length)).toEqual(ended);
          ended = status.attempts.filter(({ endedAt }) => endedAt !== undefined);
          const open = status.attempts.filter(({ endedAt }) => endedAt === undefined);
          expect(open.length).toBe(status.state === 'Starting' || status.state === 'Running' ? 1 : 0);
        }
      }),
    );
  });

  it.each<[BackupState, BackupState[]]>([
    ['Succeeded', ['Deleting']],
    ['Cancelled', ['Deleting']],
    ['Failed', ['Starting', 'Deleting']],
    ['Deleted', []],
  ])('end with %s, which is left only when a person asks: %j', (state, next) => {
    expect(hasEnded(state)).toBe(true);
    expect(backupStateSchema.options.filter((each) => mayBecome(state, each))).toEqual(next);
  });

  it('go back to where they were when the agent is busy, as if the attempt had not been', () => {
    const failed = walk(['begin', 'run', 'retryLater']).at(-1) ?? fresh;
    const held = hold(begin(failed, isoTime(0)), ['Backup b is under way.']);
    expect(held).toEqual({ ...failed, nextAttemptAt: undefined, waitingFor: ['Backup b is under way.'] });
    expect(hold(begin(fresh, isoTime(0)), [])).toEqual({ ...fresh });
  });
});

import { describe, expect, it } from 'vitest';
import { pauseBeforeRetry } from './retry.ts';

const auto = { mode: 'auto', retries: 2, intervalSeconds: 30 } as const;
const passing = { isPermanent: false };

describe('the pause before the next attempt', () => {
  it.each([
    { what: 'the first of three failed', facts: { retry: auto, attempts: 1, retriesTaken: 0 }, pause: 30_000 },
    { what: 'the second of three failed', facts: { retry: auto, attempts: 2, retriesTaken: 0 }, pause: 30_000 },
    { what: 'the last of three failed', facts: { retry: auto, attempts: 3, retriesTaken: 0 }, pause: undefined },
    { what: 'one more was asked for', facts: { retry: auto, attempts: 3, retriesTaken: 1 }, pause: 30_000 },
    { what: 'and that one failed, too', facts: { retry: auto, attempts: 4, retriesTaken: 1 }, pause: undefined },
    { what: 'a person decides', facts: { retry: { mode: 'manual' }, attempts: 1, retriesTaken: 0 }, pause: undefined },
    { what: 'there is one try', facts: { retry: undefined, attempts: 1, retriesTaken: 0 }, pause: undefined },
  ] as const)('is $pause ms when $what', ({ facts, pause }) => {
    expect(pauseBeforeRetry({ ...facts, failure: passing })).toBe(pause);
  });

  it('is none when no retry can mend the failure', () => {
    expect(
      pauseBeforeRetry({ retry: auto, attempts: 1, retriesTaken: 0, failure: { isPermanent: true } }),
    ).toBeUndefined();
  });
});

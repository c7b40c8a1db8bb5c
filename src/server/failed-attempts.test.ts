import { expect, test } from 'vitest';
import { FailedAttempts } from './failed-attempts.ts';

function isRefusedAfterFive(guessesFrom: readonly string[], asks: string): boolean {
  const attempts = new FailedAttempts({ elapsed: () => 0 }, 'password');
  for (const address of guessesFrom) attempts.remember(address);
  try {
    attempts.refuseIfTooMany(asks);
    return false;
  } catch {
    return true;
  }
}

test.each([
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.2', false],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::1', true],
  ['2001:db8:1:2::9', '2001:db8:1:3::9', false],
  ['2001:db8::1', '2001:db8::2', true],
  ['::1', '10.0.0.1', false],
])('guesses from %s count for %s: %s', (from, asks, expected) => {
  expect(
    isRefusedAfterFive(
      Array.from({ length: 6 }, () => from),
      asks,
    ),
  ).toBe(expected);
});

test('an attempt that was right is taken back', () => {
  const attempts = new FailedAttempts({ elapsed: () => 0 }, 'password');
  for (let count = 0; count < 20; count += 1) attempts.remember('10.0.0.1')();
  expect(() => attempts.refuseIfTooMany('10.0.0.1')).not.toThrow();
});

import { expect, test } from 'vitest';
import { versionsFit } from './program-version.ts';

test.each([
  ['0.1.0', '0.1.0', true],
  ['0.1.0', '0.2.7', true],
  ['0.2.0-rc.1', '0.1.9', true],
  ['0.1.0', '0.3.0', false],
  ['0.9.0', '1.0.0', false],
  ['1.2.0', '1.10.0', false],
  ['1.2.0', 'latest', false],
  ['', '', false],
])('%s and %s: %s', (left, right, expected) => {
  expect(versionsFit(left, right)).toBe(expected);
  expect(versionsFit(right, left)).toBe(expected);
});

import { expect, test } from 'vitest';
import { isWithin } from './location-within.ts';
import { parseLocation } from './location.ts';

const endpoint = '?endpoint=https%3A%2F%2Fminio%3A9000';

test.each([
  ['s3://backups', 's3://backups', true],
  ['s3://backups/a/b', 's3://backups', true],
  ['s3://backups/a/b', 's3://backups/a', true],
  ['s3://backups/a?region=eu-central-1', 's3://backups/a', true],
  [`s3://backups/a${endpoint}`, `s3://backups${endpoint}`, true],
  ['s3://backups/ab', 's3://backups/a', false],
  ['s3://backups', 's3://backups/a', false],
  ['s3://backups2', 's3://backups', false],
  // A store elsewhere that has a bucket of that name.
  [`s3://backups/a${endpoint}`, 's3://backups', false],
  ['s3://backups/a', `s3://backups${endpoint}`, false],
  ['/srv/backups', '/srv/backups', true],
  ['/srv/backups/a', '/srv/backups/', true],
  ['/srv/backups', '/', true],
  ['/srv/backups2', '/srv/backups', false],
  ['/srv/backups/../secret', '/srv/backups', false],
  ['/srv', '/srv/backups', false],
  ['/srv/backups', 's3://backups', false],
  ['s3://srv', '/', false],
])('%s in %s: %s', (location, base, expected) => {
  expect(isWithin(parseLocation(location), parseLocation(base))).toBe(expected);
});

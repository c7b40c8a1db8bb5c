import { expect, test } from 'vitest';
import type { Vendor } from '../engine/engine.ts';
import { judgeVersions } from './version-rules.ts';

const cases: readonly [Vendor, string, Vendor, string, string][] = [
  ['MariaDB', '10.11.19-MariaDB-deb12', 'MariaDB', '10.11.19-MariaDB', 'ok version-fits'],
  ['MariaDB', '10.11.6-MariaDB', 'MariaDB', '10.11.19-MariaDB', 'ok version-fits'],
  ['MariaDB', '10.11.19-MariaDB', 'MariaDB', '10.11.6-MariaDB', 'warning version-older-patch'],
  ['MariaDB', '10.11.19-MariaDB', 'MariaDB', '11.8.9-MariaDB', 'warning version-upgrade'],
  ['MariaDB', '11.8.9-MariaDB', 'MariaDB', '10.11.19-MariaDB', 'error version-downgrade'],
  ['MariaDB', '10.11.19-MariaDB', 'MySQL', '8.0.40', 'error other-vendor'],
  ['MySQL', '8.0.40', 'Percona Server', '8.0.40-31', 'ok version-fits'],
  ['Percona Server', '8.0.40-31', 'MySQL', '8.0.36', 'error version-downgrade'],
  ['MySQL', '8.4.5', 'MySQL', '8.4.2', 'warning version-older-patch'],
  ['MySQL', '8.0.40', 'MySQL', '8.4.5', 'warning version-upgrade'],
  ['MySQL', '8.0.40', 'MySQL', '8.3.0', 'warning version-upgrade'],
  ['MySQL', '8.0.40', 'MySQL', '9.7.4', 'error version-too-far'],
  ['MySQL', '8.4.5', 'MySQL', '9.7.4', 'warning version-upgrade'],
  ['MySQL', '9.1.0', 'MySQL', '9.7.4', 'warning version-upgrade'],
  ['MySQL', '9.7.4', 'MySQL', '8.4.5', 'error version-downgrade'],
  ['MySQL', 'unknown', 'MySQL', '8.4.5', 'error version-unknown'],
];

test.each(cases)('%s %s onto %s %s: %s', (...[fromVendor, from, toVendor, to, expected]) => {
  const { level, code } = judgeVersions({ vendor: fromVendor, version: from }, { vendor: toVendor, version: to });
  expect(`${level} ${code}`).toBe(expected);
});

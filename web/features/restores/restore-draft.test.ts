import { describe, expect, test } from 'vitest';
import {
  checkDirectory,
  emptyRestore,
  proposeDirectory,
  type RestoreTarget,
  targetOf,
  whyNoDirectory,
  whyNotInto,
} from './restore-draft.ts';

const same: RestoreTarget = {
  agent: 'db1',
  service: 'shop',
  isSame: true,
  isCompatible: true,
  why: 'the same server',
  directories: ['/srv/restores/'],
  mayRestoreInPlace: true,
};
const locked: RestoreTarget = { ...same, agent: 'db2', service: 'copy', isSame: false, mayRestoreInPlace: false };
const foreign: RestoreTarget = {
  ...same,
  agent: 'db3',
  service: 'ledger',
  isSame: false,
  isCompatible: false,
  why: 'MySQL',
};
const host: RestoreTarget = { ...same, agent: 'spare', isSame: false, directories: ['/a', '/b'] };
const targets = [same, locked, foreign, { ...host, service: undefined }];

describe('where a restore can go', () => {
  test('nothing is chosen for a person', () => {
    expect(targetOf(emptyRestore, targets)).toBeUndefined();
    expect(targetOf({ ...emptyRestore, where: 'other' }, targets)).toBeUndefined();
    expect(targetOf({ ...emptyRestore, where: 'directory' }, targets)).toBeUndefined();
  });

  test('the same service, another one, a directory', () => {
    expect(targetOf({ ...emptyRestore, where: 'same' }, targets)).toEqual({
      agent: 'db1',
      target: { service: 'shop' },
    });
    const free = [{ ...locked, mayRestoreInPlace: true }];
    expect(targetOf({ ...emptyRestore, where: 'other', service: 'copy' }, free)).toEqual({
      agent: 'db2',
      target: { service: 'copy' },
    });
    expect(targetOf({ ...emptyRestore, where: 'directory', agent: 'spare', directory: ' /b/x ' }, targets)).toEqual({
      agent: 'spare',
      target: { directory: '/b/x' },
    });
  });

  test('what may not be, is not', () => {
    expect(targetOf({ ...emptyRestore, where: 'other', service: 'copy' }, targets)).toBeUndefined();
    expect(targetOf({ ...emptyRestore, where: 'other', service: 'ledger' }, targets)).toBeUndefined();
    expect(targetOf({ ...emptyRestore, where: 'same' }, [locked])).toBeUndefined();
    expect(
      targetOf({ ...emptyRestore, where: 'directory', agent: 'spare', directory: '/c/x' }, targets),
    ).toBeUndefined();
  });

  test('and says why', () => {
    expect(whyNotInto(same)).toBeUndefined();
    expect(whyNotInto(locked)).toContain('db2');
    expect(whyNotInto(foreign)).toBe('MySQL');
    expect(whyNoDirectory(same)).toBeUndefined();
    expect(whyNoDirectory({ ...same, directories: [] })).toContain('db1');
  });
});

describe('the directory of a restore', () => {
  test('is proposed below what the agent allows', () => {
    expect(proposeDirectory(same, 'before:upgrade')).toBe('/srv/restores/before-upgrade');
    expect(checkDirectory(proposeDirectory(same, 'x'), same.directories)).toBeUndefined();
    expect(proposeDirectory({ ...same, directories: [] }, 'x')).toBe('');
  });

  test.each([
    ['', /Say where/],
    ['srv/x', /absolute/],
    ['/srv/restores', /below/],
    ['/srv/restores/', /below/],
    ['/srv/restores-of-others/x', /below/],
    ['/srv/restores/../x', /upwards/],
  ])('%s is refused', (path, why) => {
    expect(checkDirectory(path, ['/srv/restores'])).toMatch(why);
  });
});

import { expect, test } from 'vitest';
import type { Finding } from '../engine/engine.ts';
import { refuseBackup } from './backup-preflight.ts';
import { chosenEngine } from './chosen-engine.ts';

const fine: Finding = { level: 'ok', code: 'a', message: 'all is well' };
const odd: Finding = { level: 'warning', code: 'b', message: 'it is odd' };
const [bad, worse]: [Finding, Finding] = [
  { level: 'error', code: 'c', message: 'it is bad', nextStep: 'Mend it.' },
  { level: 'error', code: 'd', message: 'it is worse' },
];

test('errors stand in the way of a backup, warnings do not', () => {
  expect(() => refuseBackup([fine, odd])).not.toThrow();
  expect(() => refuseBackup([fine, bad, odd, worse])).toThrow(
    expect.objectContaining({
      name: 'PermanentFailure',
      code: 'c',
      message: expect.stringMatching(/: it is bad$/),
      nextStep: 'Mend it.',
      evidence: ['it is worse'],
    }),
  );
});

test('where no tool fits, the failure tells what was found and what to install', () => {
  const server = { vendor: 'MariaDB', version: '10.11.2' } as const;
  const search = { found: [odd], choice: { engine: undefined, findings: [worse, bad] } };
  expect(() => chosenEngine(server, search)).toThrow(
    expect.objectContaining({
      name: 'PermanentFailure',
      code: 'tool-missing',
      message: 'Cannot go on as no tool fits MariaDB 10.11.2: it is bad',
      nextStep: 'Mend it.',
      evidence: ['it is odd', 'it is worse', 'it is bad'],
    }),
  );
});

import { expect, test } from 'vitest';
import type { Ending } from '../lib/process.ts';
import { serverEnded, serverSilent } from './scratch-server-end.ts';

const ended = (ending: Partial<Ending>, ...lines: string[]): string =>
  serverEnded('/usr/sbin/mysqld', { exitCode: 1, signal: null, lastLines: [], ...ending }, lines).code;
const bySignal = (signal: NodeJS.Signals): string => ended({ exitCode: null, signal });

// What servers were seen to print, and what their sources hold.
test.each([
  [
    'target-full',
    '0 [ERROR] mariadbd: Error writing file \'./ddl_recovery.log\' (Errcode: 28 "No space left on device")',
  ],
  ['target-full', "mysqld: Error writing file '/x/auto.cnf' (OS errno 28 - No space left on device)"],
  ['target-full', '0 [ERROR] InnoDB: preallocating 12582912 bytes for file ./ibtmp1 failed with error 28'],
  ['target-full', '0 [ERROR] InnoDB: Operating system error number 122 in a file operation.'],
  ['target-full', '[ERROR] mariadbd: Error writing file \'./x\' (Errcode: 122 "Disk quota exceeded")'],
  ['scratch-server-refused', '1 [ERROR] [MY-012592] [InnoDB] Operating system error number 13 in a file operation.'],
  ['scratch-server-refused', "mysqld: Can't change dir to '/x/data/' (OS errno 13 - Permission denied)"],
  ['scratch-server-refused', "0 [ERROR] InnoDB: The data file './ibdata1' must be writable"],
  [
    'scratch-server-refused',
    "[ERROR] [MY-010187] [Server] Could not open file '/x' for error logging: Permission denied",
  ],
  ['scratch-server-refused', 'mysqld: [ERROR] Could not open required defaults file: /tmp/x/my.cnf'],
  [
    'scratch-server-ended',
    '[ERROR] InnoDB: Plugin initialization aborted with error Page read from tablespace is corrupted.',
  ],
  ['scratch-server-ended', "[ERROR] mariadbd: Can't open file 'x.frm' (Errcode: 2 \"No such file or directory\")"],
  // Printed by servers that run well.
  ['scratch-server-ended', "mysqld: Can't open shared library 'x.so' (errno: 0 x.so: cannot open: Permission denied)"],
  ['scratch-server-ended', "[Warning] Can't create test file /x/host.lower-test (Errcode: 13)"],
  ['scratch-server-ended', "addr2line: Warning: could not locate 'mariadbd'.  reason: Permission denied"],
  ['scratch-server-ended', '[Note] InnoDB: 128 rollback segments in 3 undo tablespaces are active.'],
])('%s: %s', (code, line) => {
  const failure = serverEnded('/x', { exitCode: 1, signal: null, lastLines: [] }, ['before', line, 'after']);
  expect(failure).toMatchObject({ code, evidence: ['before', line, 'after'], nextStep: expect.stringMatching(/\.$/) });
});

test('a signal that somebody sent is not the end of a server that cannot bear its data', () => {
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGXFSZ'] as const)
    expect(bySignal(signal)).toBe('scratch-server-killed');
  for (const signal of ['SIGABRT', 'SIGSEGV', 'SIGBUS'] as const) expect(bySignal(signal)).toBe('scratch-server-ended');
  expect(ended({ exitCode: 0 })).toBe('scratch-server-killed');
  expect(ended({ exitCode: 2 })).toBe('scratch-server-ended');
  expect(ended({ exitCode: 127 })).toBe('tool-not-started');
});

test('a full disk is found before the stack of the crash that it led to', () => {
  const stack = Array.from({ length: 100 }, (_, index) => ` #${index} 0x7f35e991ce84 <unknown>`);
  const full =
    '[ERROR] [MY-012144] [InnoDB] posix_fallocate(): Failed to preallocate data, Operating system error number 28';
  expect(ended({ exitCode: 2 }, full, ...stack)).toBe('target-full');
});

test('a server that waits for room is not silent for its data', () => {
  const waits = "[Warning] mariadbd: Disk is full writing './x.MAI' (Errcode: 28). Waiting for someone to free space";
  expect(serverSilent(1_000, [waits]).code).toBe('target-full');
  expect(serverSilent(1_000, ['starting'])).toMatchObject({ code: 'scratch-server-silent', evidence: ['starting'] });
});

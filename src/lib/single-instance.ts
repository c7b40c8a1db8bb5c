import { hash } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Conflict } from './failure.ts';

/**
 * Makes sure that only one process of a role uses a state directory. The lock is a Unix socket without a file (Linux), which goes with
 * the process however that ends.
 * @throws Conflict `<role>-already-runs`
 */
export async function lockDirectory(directory: string, role: 'agent' | 'manager'): Promise<AsyncDisposable> {
  const name = `\0holdfast-${role}-${hash('sha256', await realpath(directory)).slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  server.listen(name);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Conflict(
      `${role}-already-runs`,
      `Cannot start this ${role} as another one uses the same state directory: ${directory}`,
      {
        cause,
        nextStep: 'Stop that one, or give this one a `stateDirectory` of its own.',
      },
    );
  }
  server.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

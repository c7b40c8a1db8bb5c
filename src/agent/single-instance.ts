import { hash } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Conflict } from '../lib/failure.ts';

/**
 * Makes sure that only one agent uses a state directory. The lock is a Unix socket without a file (Linux), which goes with
 * the process however that ends.
 * @throws Conflict `agent-already-runs`
 */
export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const name = `\0holdfast-agent-${hash('sha256', await realpath(directory)).slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  server.listen(name);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Conflict(
      'agent-already-runs',
      `Cannot start an agent as another one uses the same state directory: ${directory}`,
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

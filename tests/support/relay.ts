import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Passes connections on to a server that may be away for a while: who connects meanwhile hears nothing, as of one that is slow. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
}

/** @param isThere resolves when the server behind can be connected to; asked for each connection */
export async function startRelay(port: number, isThere: () => Promise<unknown>): Promise<Relay> {
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    const passOn = (): void => {
      if (socket.destroyed) return;
      const onward = connect(port, '127.0.0.1');
      keep(onward);
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const)
        one.on('close', () => other.destroy());
      socket.pipe(onward).pipe(socket);
    };
    void isThere().then(passOn, () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

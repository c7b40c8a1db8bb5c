import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOwnedDirectory } from './owned-directory.ts';

/** What one read may bring. The system hands over some 130 KiB at a time when the writer is fast. */
const bufferBytes = 256 * 1024;

/**
 * Two connected local sockets: a program writes into one as its stdout, this process reads the other, always into the same
 * buffer. That takes half the time of a child's ordinary stdout, whose every 64 KiB come in a new buffer.
 */
export class SocketPair implements Disposable {
  /** For the program; destroy it here once the program has it. */
  readonly writer: Socket;
  readonly #reader: Socket;
  readonly #state: ReaderState;

  private constructor(reader: Socket, writer: Socket, state: ReaderState) {
    this.#reader = reader;
    this.writer = writer;
    this.#state = state;
    for (const event of ['end', 'close']) reader.once(event, () => state.end());
    reader.on('error', (error) => state.end(error));
    writer.on('error', () => undefined);
  }

  static async create(): Promise<SocketPair> {
    // Nobody else can connect: the directory is this user's own.
    const folder = await makeOwnedDirectory(tmpdir(), 'holdfast-pipe');
    const server = createServer({ pauseOnConnect: true });
    try {
      const path = join(folder, 's');
      server.listen(path);
      await once(server, 'listening');
      const state = new ReaderState();
      const onread = { buffer: Buffer.allocUnsafe(bufferBytes), callback: state.take };
      const accepted = once(server, 'connection');
      const reader = connect({ path, onread });
      const [[writer]] = await Promise.all([accepted, once(reader, 'connect')]);
      if (!(writer instanceof Socket)) throw new Error('the local socket was not accepted');
      return new SocketPair(reader, writer, state);
    } finally {
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** What was written, to the end; ends early when disposed of. Each part is valid until the next is asked for. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const part = await this.#state.next();
      if (!part) return;
      yield part;
      this.#reader.resume();
    }
  }

  [Symbol.dispose](): void {
    this.writer.destroy();
    this.#reader.destroy();
    this.#state.end();
  }
}

/** One part at a time goes from the socket to the reader: the socket is paused while it is in use. */
class ReaderState {
  #part: Uint8Array | undefined;
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  /** Called by the socket; `false` pauses it. */
  readonly take = (count: number, buffer: Uint8Array): boolean => {
    this.#part = buffer.subarray(0, count);
    this.#wake();
    return false;
  };

  end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake();
  }

  async next(): Promise<Uint8Array | undefined> {
    while (!this.#part && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const part = this.#part;
    this.#part = undefined;
    if (!part && this.#error) throw this.#error;
    return part;
  }
}

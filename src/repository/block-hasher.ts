import type { BlockBatch } from './block-batch.ts';

/** Gives blocks their ids. */
export interface BlockHasher extends Disposable {
  /** Nobody else may use the batch until it resolves. */
  hash(batch: BlockBatch): Promise<void>;
}

/** For tests: on this thread, with any digest. */
export function hashingHere(digest: (bytes: Uint8Array) => string): BlockHasher {
  return {
    hash: async (batch) => Promise.resolve(batch.identify(digest)),
    [Symbol.dispose]: () => undefined,
  };
}

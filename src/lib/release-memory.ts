/** Buffers that are worth it; far larger than the pools that Node cuts small ones from. */
const LARGE_BYTES = 128 << 10;

/**
 * Gives back the memory of a large buffer at once; otherwise it stays until the garbage collection that all such buffers
 * together bring about, over and over. Nobody may use the buffer, or another view of its memory, from then on: they are empty.
 */
export function releaseMemory({ buffer: memory }: Uint8Array): void {
  if (memory.byteLength >= LARGE_BYTES) release(memory);
}

/** The same for a buffer of any size that is not known to be alone in its memory: where it is not all of it, it stays as it is. */
export function releaseIfAlone({ buffer: memory, byteLength }: Uint8Array): void {
  if (memory.byteLength === byteLength) release(memory);
}

function release(memory: ArrayBufferLike): void {
  if (!(memory instanceof ArrayBuffer)) return;
  try {
    memory.transfer(0);
  } catch (error) {
    // Node lets nobody take away memory that it shares out itself; the garbage collector has it, as ever.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Buffers that are worth it; far larger than the pools that Node cuts small ones from. */
const LARGE_BYTES = 128 << 10;

/**
 * Gives back the memory of a large buffer at once; otherwise it stays until the garbage collection that all such buffers
 * together bring about, over and over. Nobody may use the buffer, or another view of its memory, from then on: they are empty.
 */
export function releaseMemory(buffer: Buffer): void {
  const memory = buffer.buffer;
  if (!(memory instanceof ArrayBuffer) || memory.byteLength < LARGE_BYTES) return;
  try {
    memory.transfer(0);
  } catch (error) {
    // Node lets nobody take away memory that it shares out itself; the garbage collector has it, as ever.
    if (!(error instanceof TypeError)) throw error;
  }
}

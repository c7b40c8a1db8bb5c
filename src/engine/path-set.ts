import { randomInt } from 'node:crypto';

/**
 * Remembers up to millions of paths in 16 bytes each, by 53-bit hash. The seed is random, so two paths that collide in one
 * run (odds of 1 in 100,000 at half a million paths) do not collide in the next.
 */
export class PathSet {
  #slots = new Float64Array(1024);
  #count = 0;
  readonly #seed = randomInt(2 ** 32);

  get size(): number {
    return this.#count;
  }

  has(path: string): boolean {
    const hash = hashOf(path, this.#seed);
    return this.#slots[slotOf(this.#slots, hash)] === hash;
  }

  add(path: string): void {
    if ((this.#count + 1) * 2 > this.#slots.length) this.#grow();
    const hash = hashOf(path, this.#seed);
    const slot = slotOf(this.#slots, hash);
    if (this.#slots[slot] !== hash) this.#count += 1;
    this.#slots[slot] = hash;
  }

  #grow(): void {
    const larger = new Float64Array(this.#slots.length * 2);
    for (const hash of this.#slots) {
      if (hash !== 0) larger[slotOf(larger, hash)] = hash;
    }
    this.#slots = larger;
  }
}

/** Where the hash is, or the free slot where it belongs: zero means free. */
function slotOf(slots: Float64Array, hash: number): number {
  const mask = slots.length - 1;
  let slot = hash % slots.length;
  while (slots[slot] !== 0 && slots[slot] !== hash) slot = (slot + 1) & mask;
  return slot;
}

/** Two multiplicative 32-bit hashes side by side, of which 53 bits stay; never 0. */
function hashOf(text: string, seed: number): number {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 0x9e3779b1);
    low = Math.imul(low ^ code, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (high >>> 11) * 2 ** 32 + (low >>> 0) || 1;
}

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import * as z from 'zod';
import { CorruptData, InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import { KEY_BYTES, KEY_ID_BYTES, keyIdOf, SALT_BYTES, TAG_BYTES } from './cipher.ts';

/** A way in: what a person or a host has, from which the key that wraps the repository key is made. */
export type Unlock =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key-file'; readonly bytes: Buffer };

const hexOf = (bytes: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

export const slotSchema = z.object({
  slot: z.string().regex(/^[0-9a-f]{16}$/),
  kind: z.enum(['passphrase', 'key-file']),
  keyId: hexOf(KEY_ID_BYTES),
  /** For people: whose passphrase, which host's file. */
  label: z.string(),
  createdAt: z.iso.datetime(),
  salt: hexOf(SALT_BYTES),
  /** scrypt (RFC 7914), for passphrases. Bounded, so that a changed file cannot make a reader take all memory. */
  scrypt: z
    .object({
      n: z
        .int()
        .min(2)
        .max(1 << 20),
      r: z.int().min(1).max(16),
      p: z.int().min(1).max(16),
    })
    .optional(),
  nonce: hexOf(12),
  wrapped: hexOf(KEY_BYTES + TAG_BYTES),
});
export type Slot = z.infer<typeof slotSchema>;

/** 64 MiB and about a third of a second: what OWASP's password storage guide recommends for scrypt. */
const SCRYPT = { n: 1 << 16, r: 8, p: 2 };
const MIN_PASSPHRASE = 8;
const MIN_KEY_FILE_BYTES = 32;
const MAX_SCRYPT_MEMORY = 512 << 20;

export async function createSlot(
  repositoryKey: Buffer,
  unlock: Unlock,
  { label, createdAt }: { label: string; createdAt: string },
): Promise<Slot> {
  checkStrength(unlock);
  const salt = randomBytes(32);
  const slot = randomBytes(8).toString('hex');
  const cost = unlock.kind === 'passphrase' ? { scrypt: SCRYPT } : {};
  const nonce = randomBytes(12);
  const wrappingKey = await wrappingKeyOf(unlock, { salt, ...cost });
  const gcm = createCipheriv('aes-256-gcm', wrappingKey, nonce).setAAD(Buffer.from(slot));
  const wrapped = Buffer.concat([gcm.update(repositoryKey), gcm.final(), gcm.getAuthTag()]);
  const keyId = keyIdOf(repositoryKey);
  return {
    slot,
    kind: unlock.kind,
    keyId,
    label,
    createdAt,
    salt: salt.toString('hex'),
    ...cost,
    nonce: nonce.toString('hex'),
    wrapped: wrapped.toString('hex'),
  };
}

/** @returns the repository key, or undefined when this slot is of another passphrase or file. */
export async function openSlot(slot: Slot, unlock: Unlock): Promise<Buffer | undefined> {
  if (slot.kind !== unlock.kind) return undefined;
  const wrapped = Buffer.from(slot.wrapped, 'hex');
  if (wrapped.length !== KEY_BYTES + TAG_BYTES)
    throw new CorruptData('repository-damaged', `Cannot use key slot ${slot.slot} as its key has a wrong length`);
  const wrappingKey = await wrappingKeyOf(unlock, {
    salt: Buffer.from(slot.salt, 'hex'),
    ...(slot.scrypt ? { scrypt: slot.scrypt } : {}),
  });
  const gcm = createDecipheriv('aes-256-gcm', wrappingKey, Buffer.from(slot.nonce, 'hex')).setAAD(
    Buffer.from(slot.slot),
  );
  gcm.setAuthTag(wrapped.subarray(KEY_BYTES));
  const key = gcm.update(wrapped.subarray(0, KEY_BYTES));
  try {
    gcm.final();
  } catch {
    return undefined;
  }
  return keyIdOf(key) === slot.keyId ? key : undefined;
}

export function wrongKey(unlock: Unlock, slots: number): PermanentFailure {
  const what = unlock.kind === 'passphrase' ? 'passphrase' : 'key file';
  const message = `Cannot open the repository as the ${what} fits none of its ${slots} key slots`;
  return new PermanentFailure('wrong-key', message, {
    nextStep: 'Check that it is the one this repository was made with; `holdfast repository key list` names the slots.',
  });
}

async function wrappingKeyOf(
  unlock: Unlock,
  { salt, scrypt: cost }: { salt: Buffer; scrypt?: typeof SCRYPT },
): Promise<Buffer> {
  if (unlock.kind === 'key-file')
    return Buffer.from(hkdfSync('sha256', unlock.bytes, salt, 'holdfast/1/key-file', KEY_BYTES));
  if (!cost)
    throw new CorruptData(
      'repository-damaged',
      'Cannot use a key slot as it does not say how its passphrase is stretched',
    );
  const { n: N, r, p } = cost;
  const isPossible = Number.isInteger(Math.log2(N)) && 128 * N * r <= MAX_SCRYPT_MEMORY;
  if (!isPossible) throw new CorruptData('repository-damaged', 'Cannot use a key slot as its cost is impossible');
  return stretch(Buffer.from(unlock.passphrase.normalize('NFKC')), salt, { N, r, p, maxmem: MAX_SCRYPT_MEMORY * 2 });
}

async function stretch(passphrase: Buffer, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function checkStrength(unlock: Unlock): void {
  if (unlock.kind === 'passphrase' && Array.from(unlock.passphrase).length < MIN_PASSPHRASE) {
    throw new InvalidRequest(
      'weak-passphrase',
      `Cannot use this passphrase as it is shorter than ${MIN_PASSPHRASE} characters`,
    );
  }
  if (unlock.kind === 'key-file' && unlock.bytes.length < MIN_KEY_FILE_BYTES) {
    throw new InvalidRequest(
      'weak-key-file',
      `Cannot use this key file as it has fewer than ${MIN_KEY_FILE_BYTES} bytes`,
      { nextStep: 'Make one with `head -c 32 /dev/urandom > key`.' },
    );
  }
}

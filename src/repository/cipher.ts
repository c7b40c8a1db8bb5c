import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { CorruptData } from '../lib/failure.ts';

export const ID_BYTES = 32;
export const KEY_BYTES = 32;
export const TAG_BYTES = 16;
export const SALT_BYTES = 32;
export const KEY_ID_BYTES = 16;

/** How a repository names blocks, authenticates documents and hides bytes: with a key, or in the open. */
export interface Cipher {
  /** Hexadecimal; undefined in a repository without encryption. */
  readonly keyId: string | undefined;
  /** What ids are made with: `blockDigests(idKey)` gives them, too, on any thread. Undefined without a key. */
  readonly idKey: Uint8Array | undefined;
  /** A block's id: SHA-256 of its plain bytes, HMAC-SHA-256 with a key. 32 bytes. */
  blockId(plain: Uint8Array): Buffer;
  /** The MAC of a document, hexadecimal; undefined without a key. */
  documentMac(canonical: string): string | undefined;
  /** The cipher of one object; `salt` stands in its header. */
  forObject(name: string, salt: Buffer): ObjectCipher;
}

/** Seals and opens the frames of one object. The frame's header is associated data, together with the object's name. */
export interface ObjectCipher {
  /** What it is made with: `objectCipher(key, name)` is the same on another thread. Undefined without encryption. */
  readonly key: Uint8Array | undefined;
  /** Bytes that sealing adds. */
  readonly overhead: number;
  seal(frame: { readonly header: Buffer; readonly ordinal: number; readonly body: Buffer }): Buffer;
  open(frame: { readonly header: Buffer; readonly ordinal: number; readonly body: Buffer }): Buffer;
}

const openObject: ObjectCipher = {
  key: undefined,
  overhead: 0,
  seal: ({ body }) => body,
  open: ({ body }) => body,
};

/** @param key that of another cipher of the same object */
export function objectCipher(key: Uint8Array | undefined, name: string): ObjectCipher {
  return key === undefined ? openObject : gcmObject(key, name);
}

export function blockIds(idKey: Uint8Array | undefined): (plain: Uint8Array) => Buffer {
  const digest = blockDigests(idKey);
  return (plain) => Buffer.from(digest(plain), 'latin1');
}

/** The same ids as text, a character a byte: what asks for many saves a seventh of the time that a buffer for each costs. */
export function blockDigests(idKey: Uint8Array | undefined): (plain: Uint8Array) => string {
  if (idKey === undefined) return (plain) => hash('sha256', plain, 'binary');
  return (plain) => createHmac('sha256', idKey).update(plain).digest('binary');
}

export const openCipher: Cipher = {
  keyId: undefined,
  idKey: undefined,
  blockId: blockIds(undefined),
  documentMac: () => undefined,
  forObject: () => openObject,
};

export function newRepositoryKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** Names a key without telling it: derived, so that an unwrapped key can be compared with the name it should have. */
export function keyIdOf(repositoryKey: Buffer): string {
  return derive(repositoryKey, 'key-id').subarray(0, KEY_ID_BYTES).toString('hex');
}

export function keyedCipher(repositoryKey: Buffer): Cipher {
  const idKey = derive(repositoryKey, 'block-ids');
  const documentKey = derive(repositoryKey, 'documents');
  return {
    keyId: keyIdOf(repositoryKey),
    idKey,
    blockId: blockIds(idKey),
    documentMac: (canonical) => createHmac('sha256', documentKey).update(canonical).digest('hex'),
    forObject: (name, salt) => gcmObject(derive(repositoryKey, 'object', salt), name),
  };
}

export function isSameMac(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex');
  const right = Buffer.from(b, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** HKDF-SHA-256 (RFC 5869); `info` separates the uses. */
function derive(key: Buffer, use: string, salt: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `holdfast/1/${use}`, KEY_BYTES));
}

/** AES-256-GCM (NIST SP 800-38D). The key is the object's own, so the frame's ordinal serves as nonce and never repeats. */
function gcmObject(key: Uint8Array, name: string): ObjectCipher {
  const associated = (header: Buffer): Buffer => Buffer.concat([Buffer.from(`${name}\n`), header]);
  return {
    key,
    overhead: TAG_BYTES,
    seal: ({ header, ordinal, body }) => {
      const gcm = createCipheriv('aes-256-gcm', key, nonce(ordinal)).setAAD(associated(header));
      return Buffer.concat([gcm.update(body), gcm.final(), gcm.getAuthTag()]);
    },
    open: ({ header, ordinal, body }) => {
      if (body.length < TAG_BYTES) throw notAuthentic(name, ordinal);
      const gcm = createDecipheriv('aes-256-gcm', key, nonce(ordinal)).setAAD(associated(header));
      gcm.setAuthTag(body.subarray(body.length - TAG_BYTES));
      const plain = gcm.update(body.subarray(0, body.length - TAG_BYTES));
      try {
        return Buffer.concat([plain, gcm.final()]);
      } catch (cause) {
        throw notAuthentic(name, ordinal, cause);
      }
    },
  };
}

function nonce(ordinal: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(ordinal, 8);
  return bytes;
}

function notAuthentic(name: string, ordinal: number, cause?: unknown): CorruptData {
  const message = `Cannot decrypt frame ${ordinal} of ${name} as it is not what was written with this key`;
  return new CorruptData('not-authentic', message, { cause });
}

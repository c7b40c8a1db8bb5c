import { hash } from 'node:crypto';
import * as z from 'zod';
import { CorruptData, PermanentFailure } from '../lib/failure.ts';
import { type Cipher, isSameMac } from './cipher.ts';
import { isAttemptId, isBackupId } from './names.ts';

/** The small JSON documents of a repository. Readers ignore fields they do not know. */

/** No document is larger; a reader takes no more. */
export const MAX_DOCUMENT_BYTES = 1 << 20;

const time = z.iso.datetime();
const lsn = z.string().regex(/^\d+$/);
const backupId = z.string().refine((id) => isBackupId(id));

/** Tools and servers as they were when the backup was made. */
const sourceSchema = z.object({
  vendor: z.enum(['MariaDB', 'MySQL', 'Percona Server']),
  serverVersion: z.string(),
  serverIdentity: z.string(),
  lineage: z.string(),
  engine: z.enum(['xtrabackup', 'mariadb-backup']),
  toolVersion: z.string(),
  /** Settings without which a server cannot open these files. */
  variables: z.record(z.string(), z.string()).optional(),
});

export const begunSchema = z.object({
  backup: backupId,
  attempt: z.string().refine((id) => isAttemptId(id)),
  /** The writer's clock: for people; rules go by the store's time stamps. */
  begunAt: time,
  service: z.string(),
  lineage: z.string(),
  writer: z.string(),
});
export type Begun = z.infer<typeof begunSchema>;

export const sealedSchema = z.object({
  state: z.literal('sealed'),
  backup: backupId,
  attempt: z.string().refine((id) => isAttemptId(id)),
  name: z.string(),
  service: z.string(),
  schedule: z.string().optional(),
  source: sourceSchema,
  startedAt: time,
  endedAt: time,
  sealedAt: time,
  gtid: z.string(),
  binlog: z.object({ file: z.string(), position: z.string() }).optional(),
  fromLsn: lsn,
  toLsn: lsn,
  lastLsn: lsn,
  /** The backup that this one leaned on. */
  parent: backupId.optional(),
  files: z.int().nonnegative(),
  /** Sum of the files' sizes. */
  logicalBytes: z.int().nonnegative(),
  /** What this backup added to the store. */
  storedBytes: z.int().nonnegative(),
  indexDigest: z.string().regex(/^[0-9a-f]{64}$/),
  keyId: z.string().optional(),
  program: z.string(),
});
export type Sealed = z.infer<typeof sealedSchema>;

export const voidSchema = z.object({
  state: z.literal('void'),
  backup: backupId,
  reason: z.string(),
  voidedAt: time,
});

export const settlementSchema = z.discriminatedUnion('state', [sealedSchema, voidSchema]);
export type Settlement = z.infer<typeof settlementSchema>;

export const deletedSchema = z.object({ backup: backupId, deletedAt: time, reason: z.string() });

const stepSchema = z.object({ name: z.string(), ms: z.int().nonnegative() });

export const noteSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('checked'), at: time, bytes: z.int(), blocks: z.int() }),
  z.object({
    kind: z.literal('proven'),
    at: time,
    steps: z.array(stepSchema),
    tables: z.int(),
    serverVersion: z.string(),
  }),
  z.object({ kind: z.literal('failed-proof'), at: time, reason: z.string() }),
  z.object({ kind: z.literal('pinned'), at: time, reason: z.string() }),
  z.object({ kind: z.literal('unpinned'), at: time, reason: z.string() }),
  z.object({ kind: z.literal('bad-segment'), at: time, segment: z.string(), reason: z.string() }),
]);
export type Note = z.infer<typeof noteSchema>;

/** Of a document there is a MAC or a digest; none of an open repository that was written before there were digests. */
const envelopeSchema = z.object({ document: z.unknown(), mac: z.string().optional(), digest: z.string().optional() });

/**
 * `{"document": …, "mac": …}`: the MAC is over the document as canonical JSON, and over the object's name. Without a key it is a
 * digest, against accidents. Throws PermanentFailure
 * for one that is larger than what readers take.
 */
export function encodeDocument(document: object, { cipher, key }: { cipher: Cipher; key: string }): Buffer {
  const canonical = `${key}\n${canonicalJson(document)}`;
  const mac = cipher.documentMac(canonical);
  const proof = mac === undefined ? { digest: hash('sha256', canonical) } : { mac };
  const bytes = Buffer.from(`${JSON.stringify({ document, ...proof }, undefined, 2)}\n`);
  if (bytes.length > MAX_DOCUMENT_BYTES)
    throw new PermanentFailure(
      'document-too-large',
      `Cannot store ${key} as nobody could read it any more: it has ${bytes.length} bytes, ${MAX_DOCUMENT_BYTES} are allowed`,
      { nextStep: 'Please report this as a fault of Holdfast, with what may be so long: a set of GTIDs, a name.' },
    );
  return bytes;
}

/** @param cipher undefined to read without the key: then a MAC is not verified, which is enough to list; a digest is. */
export function decodeDocument<T>(
  bytes: Buffer,
  { schema, cipher, key }: { schema: z.ZodType<T>; cipher: Cipher | undefined; key: string },
): T {
  let document: unknown;
  let mac: string | undefined;
  let digest: string | undefined;
  let parsed: T;
  try {
    ({ document, mac, digest } = envelopeSchema.parse(JSON.parse(bytes.toString('utf8'))));
    parsed = schema.parse(document);
  } catch (cause) {
    throw damagedObject(`Cannot read ${key} as it is not such a document`, { cause });
  }
  const canonical = `${key}\n${canonicalJson(document)}`;
  if (digest !== undefined && digest !== hash('sha256', canonical))
    throw damagedObject(`Cannot use ${key} as it is not what was written`);
  const expected = cipher?.documentMac(canonical);
  if (expected !== undefined && !isSameMac(expected, mac ?? '')) {
    throw damagedObject(`Cannot use ${key} as it is not what was written with this key`, { code: 'not-authentic' });
  }
  return parsed;
}

/** An object that makes no sense by itself. */
export function damagedObject(
  message: string,
  { code = 'repository-damaged', cause }: { readonly code?: string; readonly cause?: unknown } = {},
): CorruptData {
  return new CorruptData(code, message, {
    cause,
    nextStep:
      'Bring this object back from a copy of the repository, or an earlier version of it where the store keeps versions. `holdfast repository check` tells which backups are whole without it.',
  });
}

/** JSON with sorted keys and no spaces: the same text for the same value, in any language. Numbers are integers. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const sorted = members.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}

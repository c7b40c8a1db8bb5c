import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';

import { Failure, PermanentFailure } from '../lib/failure.ts';
import { compareKeys } from './key.ts';
import { s3Failure, type S3Act } from './s3-failure.ts';
import type { StoredObject } from './storage.ts';

export interface S3Listing {
  readonly act: S3Act;
  /** In front of every key; empty or with a slash at its end. */
  readonly folder: string;
  readonly after: string | undefined;
  readonly send: (input: Omit<ListObjectsV2CommandInput, 'Bucket'>) => Promise<ListObjectsV2CommandOutput>;
}

/** Pages through the objects below the folder whose key starts with the prefix. */
export async function* listPages(
  prefix: string,
  { act, folder, after, send }: S3Listing,
): AsyncGenerator<StoredObject> {
  let last = after;
  let next: Omit<ListObjectsV2CommandInput, 'Bucket'> = after === undefined ? {} : { StartAfter: folder + after };
  for (;;) {
    const page = await send({ Prefix: folder + prefix, EncodingType: 'url', ...next }).catch((error: unknown) => {
      throw s3Failure(error, act);
    });
    // Any page of HTML reads like an empty list otherwise.
    if (page.IsTruncated === undefined) throw wrongAnswer(act, 'answers with something that is no list');
    for (const object of objectsOf(page, { act, folder })) {
      if (last !== undefined && compareKeys(object.key, last) <= 0) throw outOfOrder(act, [last, object.key]);
      last = object.key;
      yield object;
    }
    if (!page.IsTruncated) return;
    if (page.NextContinuationToken === undefined) throw wrongAnswer(act, 'says that there is more, but not where');
    next = { ContinuationToken: page.NextContinuationToken };
  }
}

function* objectsOf(
  page: ListObjectsV2CommandOutput,
  { act, folder }: { act: S3Act; folder: string },
): Generator<StoredObject> {
  for (const { Key: text, Size: size, LastModified: modified } of page.Contents ?? []) {
    if (text === undefined || size === undefined || modified === undefined) {
      throw wrongAnswer(act, 'leaves out a key, a size or a time');
    }
    const key = page.EncodingType === 'url' ? decodeKey(text, act) : text;
    // Consoles of stores make "folders": empty objects with a slash at their end.
    if (key.startsWith(folder) && !key.endsWith('/')) yield { key: key.slice(folder.length), size, modified };
  }
}

function decodeKey(text: string, act: S3Act): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw wrongAnswer(act, 'answers with a key that cannot be decoded', error);
  }
}

function wrongAnswer({ act, where }: S3Act, what: string, cause?: unknown): Failure {
  return new Failure('storage-answer-wrong', `Cannot ${act} as the store ${what}: ${where}`, { cause });
}

function outOfOrder({ act, where }: S3Act, [before, key]: [string, string]): PermanentFailure {
  return new PermanentFailure(
    'storage-unordered',
    `Cannot ${act} as the store does not list keys in their order: ${where}`,
    {
      evidence: [`${key} came after ${before}`],
      nextStep: 'Use a general purpose bucket; directory buckets and some gateways do not keep the order.',
    },
  );
}

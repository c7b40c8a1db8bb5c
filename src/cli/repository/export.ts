import { createWriteStream, type WriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isatty } from 'node:tty';
import * as z from 'zod';
import type { FilePiece } from '../../engine/engine.ts';
import { encodeXbstream } from '../../engine/xbstream-encode.ts';
import { Conflict, InvalidRequest } from '../../lib/failure.ts';
import type { Sealed } from '../../repository/documents.ts';
import { exportFiles } from '../../repository/export-files.ts';
import type { Context, Invocation } from '../context.ts';
import { findSealed } from '../find-backup.ts';
import { formatBytes, plural } from '../../api/figures.ts';
import { Progress } from '../progress.ts';
import { openFully } from '../store.ts';

const optionsSchema = z.object({ output: z.string(), service: z.string().optional() });
const stdout = 1;
const bufferBytes = 1 << 20;

export async function exportCommand({ context, args, options: raw }: Invocation): Promise<void> {
  const { output: file, service } = optionsSchema.parse(raw);
  const isStdout = file === '-';
  if (isStdout && isatty(stdout)) {
    throw new InvalidRequest('stdout-is-a-terminal', 'Cannot write a backup to a terminal', {
      nextStep: 'Give --output FILE, or pipe it into `mbstream -x`.',
    });
  }
  const output = isStdout ? context.output.withoutStdout() : context.output;
  await using opened = await openFully(context);
  const { repository } = opened;
  const sealed = await findSealed(repository, args[0] ?? '', { signal: context.signal, service });
  using progress = new Progress(output, context);
  const pieces = counted(exportFiles(repository, sealed, context.signal), (done) =>
    progress.update({ step: `exporting ${sealed.backup}`, done, total: sealed.logicalBytes }),
  );
  await (isStdout
    ? writeTo(createWriteStream('', { fd: stdout, autoClose: false }), pieces, context)
    : writeFile(file, pieces, context));
  progress[Symbol.dispose]();
  report(sealed, { output, file });
}

function report(sealed: Sealed, { output, file }: { output: Context['output']; file: string }): void {
  const { backup: id, files, logicalBytes } = sealed;
  output.json({ type: 'result', id, files, logicalBytes, output: file });
  output.remark(
    `Exported ${id}: ${plural(files, 'file')}, ${formatBytes(logicalBytes)}.`,
    `Extract it with mbstream -x or xbstream -x, and prepare it with ${sealed.source.engine} ${sealed.source.toolVersion}.`,
  );
}

/** Batches for the encoder, and a count of what went by. */
async function* counted(
  pieces: AsyncIterable<FilePiece>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<readonly FilePiece[]> {
  let bytes = 0;
  for await (const piece of pieces) {
    if (piece.type === 'data') bytes += piece.bytes.length;
    onBytes(bytes);
    yield [piece];
  }
}

async function writeTo(
  stream: WriteStream,
  pieces: AsyncIterable<readonly FilePiece[]>,
  { signal }: Context,
): Promise<void> {
  // mbstream does not read sparse chunks.
  await pipeline(Readable.from(gathered(encodeXbstream(pieces, { holes: 'zeros' }))), stream, { signal });
}

/** A backup that is not whole never has the name that was asked for. */
async function writeFile(file: string, pieces: AsyncIterable<readonly FilePiece[]>, context: Context): Promise<void> {
  const partial = `${file}.partial`;
  await refuseExisting(file);
  try {
    const stream = createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true });
    await writeTo(stream, pieces, context);
    await rename(partial, file);
  } catch (error) {
    if (!isExisting(error)) await rm(partial, { force: true });
    else throw alreadyThere(partial, error);
    throw error;
  }
}

async function refuseExisting(file: string): Promise<void> {
  try {
    await (await open(file, 'r')).close();
  } catch {
    return;
  }
  throw alreadyThere(file);
}

function alreadyThere(file: string, cause?: unknown): Conflict {
  return new Conflict('file-exists', `Cannot write to ${file} as it is there already`, {
    cause,
    nextStep: 'Choose another name, or remove it.',
  });
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** Few large writes instead of one for each page. What the encoder yields may be reused, so it is copied. */
async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(Buffer.from(chunk));
    size += chunk.length;
    if (size < bufferBytes) continue;
    yield Buffer.concat(parts, size);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts, size);
}

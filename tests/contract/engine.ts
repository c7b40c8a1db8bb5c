import { appendFileSync, mkdirSync, truncateSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BackupRun, Engine, FilePiece, ServerConnection } from '../../src/engine/engine.ts';
import { readServerFacts } from '../../src/engine/server-facts.ts';
import { Failure } from '../../src/lib/failure.ts';

/** An engine with a server of its kind, filled with some tables; what the suite needs to hold it to its contract. */
export interface EngineBench extends AsyncDisposable {
  readonly engine: Engine;
  /** As a user with a password. */
  readonly server: ServerConnection & { readonly password: string };
  /** Of the server itself, as text that says everything about the rows. */
  checksums(): Promise<string>;
  /** Of a server that is started on a prepared directory. */
  checksumsOf(directory: string): Promise<string>;
}

/** What every engine promises; see `src/engine/engine.ts`. */
export function describeEngine(name: string, makeBench: () => Promise<EngineBench>): void {
  describe(`engine ${name}`, () => {
    let bench: EngineBench;
    beforeAll(async () => {
      bench = await makeBench();
      // Which version this is, where it is not the same every day.
      process.stdout.write(`${name}: ${bench.engine.name} ${bench.engine.version}\n`);
      return () => bench[Symbol.asyncDispose]();
    });

    it('makes a backup that becomes a working data directory with the same rows', async () => {
      await using folder = await newFolder();
      const log: string[] = [];
      const run = bench.engine.backup(bench.server, {
        signal: anySignal(),
        onLog: (line) => log.push(line),
        parallel: 2,
      });
      await extract(run, folder.path);
      await bench.engine.prepare(folder.path, {
        signal: anySignal(),
        onLog: (line) => log.push(line),
        memoryBytes: 64 * 1024 * 1024,
      });
      expect(await bench.checksumsOf(folder.path)).toBe(await bench.checksums());
      expect(log.filter((line) => line.endsWith('completed OK!'))).toHaveLength(2);
      expect(run.facts()).toMatchObject({
        toolVersion: expect.stringMatching(/^\d+\.\d+/),
        binlog: { position: expect.stringMatching(/^\d+$/) },
      });
    });

    it('has nothing in the way of a backup', async () => {
      const facts = await readServerFacts(bench.server, { signal: anySignal() });
      const findings = await bench.engine.preflight(bench.server, facts, { signal: anySignal() });
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
      expect(findings.map(({ code }) => code)).toEqual(
        expect.arrayContaining(['tool-version', 'privileges', 'data-directory']),
      );
    });

    it('shows the password to nobody on the host, nor in the log', async () => {
      const log: string[] = [];
      const shown: string[] = [];
      const run = bench.engine.backup(bench.server, { signal: anySignal(), onLog: (line) => log.push(line) });
      for await (const batch of run.pieces) {
        if (shown.length === 0 && batch.length > 0) shown.push(...(await textOfProcesses()));
      }
      expect(shown.join('\n')).toContain('--stream=xbstream');
      expect([...shown, ...log].join('\n')).not.toContain(bench.server.password);
    });

    it('ends the tool when the reader leaves, and leaves nothing behind', async () => {
      const run = bench.engine.backup(bench.server, { signal: anySignal(), onLog: () => undefined });
      for await (const batch of run.pieces) if (batch.length > 0) break;
      expect(await leftovers()).toEqual([]);
      expect(() => run.facts()).toThrow(Failure);
      expect(run.isLocked()).toBe(false);
    });

    it('ends the tool when it is cancelled, with the reason', async () => {
      const controller = new AbortController();
      const run = bench.engine.backup(bench.server, { signal: controller.signal, onLog: () => undefined });
      const reading = drain(run, () => controller.abort(new Failure('cancelled', 'cancelled by the test')));
      await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
      expect(await leftovers()).toEqual([]);
    });

    it('does nothing when it is cancelled before', async () => {
      const signal = AbortSignal.abort(new Failure('cancelled', 'before'));
      await expect(drain(bench.engine.backup(bench.server, { signal, onLog: () => undefined }))).rejects.toMatchObject({
        code: 'cancelled',
      });
    });

    it('names a wrong password, for good', async () => {
      const server = { ...bench.server, password: 'not-the-password' };
      const run = bench.engine.backup(server, { signal: anySignal(), onLog: () => undefined });
      await expect(drain(run)).rejects.toMatchObject({ name: 'PermanentFailure', code: 'database-access-denied' });
      expect(await leftovers()).toEqual([]);
    });

    it('names a server that does not answer', async () => {
      const run = bench.engine.backup(
        { ...bench.server, socket: '/nonexistent/s.sock' },
        { signal: anySignal(), onLog: () => undefined },
      );
      await expect(drain(run)).rejects.toMatchObject({
        name: 'Failure',
        code: 'database-unreachable',
        message: expect.stringContaining('/nonexistent/s.sock'),
      });
    });

    it('does not prepare a directory that is no backup', async () => {
      await using folder = await newFolder();
      await expect(
        bench.engine.prepare(folder.path, { signal: anySignal(), onLog: () => undefined }),
      ).rejects.toMatchObject({ name: 'ToolFailed' });
    });
  });
}

function anySignal(): AbortSignal {
  return new AbortController().signal;
}

export async function drain(run: BackupRun, onBatch: () => void | Promise<void> = () => undefined): Promise<void> {
  for await (const batch of run.pieces) if (batch.length > 0) await onBatch();
}

/** Writes the pieces as files. */
export async function extract(run: BackupRun, directory: string): Promise<void> {
  for await (const batch of run.pieces) {
    for (const piece of batch) writePiece(piece, join(directory, piece.path));
  }
}

function writePiece(piece: FilePiece, path: string): void {
  if (piece.type === 'end' || piece.offset === 0) mkdirSync(dirname(path), { recursive: true });
  // Pieces of one file come in order, so each belongs at the end.
  if (piece.type === 'data') return appendFileSync(path, piece.bytes);
  appendFileSync(path, '');
  truncateSync(path, piece.type === 'end' ? piece.size : piece.offset + piece.length);
}

/** Command lines and environments of all processes below this one. */
async function textOfProcesses(): Promise<string[]> {
  const texts: string[] = [];
  for (const pid of await childrenOf(process.pid)) {
    for (const file of ['cmdline', 'environ']) {
      const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      texts.push(text.replaceAll('\0', ' '));
    }
  }
  return texts;
}

async function childrenOf(parent: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${parent}/task`);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${parent}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) =>
    list
      .split(' ')
      .filter((pid) => pid !== '')
      .map(Number),
  );
}

/** Tools that this process still runs, and directories with passwords that it still has. */
async function leftovers(): Promise<string[]> {
  const tools = (await textOfProcesses()).filter((text) => text.includes('--stream=xbstream'));
  const names = await readdir(tmpdir());
  return [...tools, ...names.filter((name) => name.startsWith(`holdfast-private-${process.pid}-`))];
}

export async function newFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-engine-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, rmdir, stat, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { PermanentFailure } from '../lib/failure.ts';
import { syncTree } from '../lib/sync-tree.ts';
import { type Area, areaPaths, belongsInto, linkedInto, owns, tableFiles } from './areas.ts';
import { hasCode, isThere, namesIn, readSmallFile, systemFiles, temporaryFor } from './placement-files.ts';
import type { PreparedArea } from './placement-plan.ts';
import { findTableLinks, type TableLink } from './table-links.ts';

export interface SpreadOptions {
  /** The directory that was prepared, and the name that it ends in. */
  readonly prepared: string;
  readonly id: string;
  /** The data directory, which shows what in the areas belongs to its server. */
  readonly target: string;
  readonly areas: readonly Area[];
  /** What the backup says of tables that its server kept elsewhere. */
  readonly links: readonly TableLink[];
  readonly signal: AbortSignal;
  readonly onLog: (line: string) => void;
}

/** A file on its way into an area; a table has its link written anew. */
interface Move {
  readonly from: string;
  readonly to: string;
  readonly link?: { readonly path: string; readonly text: string };
}

/**
 * Brings the prepared files that belong into other directories of the server there, while the server still runs: into a
 * directory of their own each, from where they later move in by renaming. A table whose directory the server does not use
 * now stays in the data directory: nothing is written to a path because a backup names it.
 * @throws PermanentFailure `space-missing`
 */
export async function spreadAreas(options: SpreadOptions): Promise<readonly PreparedArea[]> {
  const { prepared, id, areas, signal } = options;
  if (areas.length === 0) {
    tellOfStaying(options, options.links);
    return [];
  }
  const spread = areas.map((area) => ({ ...area, ...areaPaths(area.directory, id) }));
  await systemFiles.writeDurably(recordPath(prepared), JSON.stringify(spread.map(({ directory }) => directory)));
  const moves = await planMoves(options, spread);
  await requireRoom(prepared, moves);
  for (const area of spread) await mkdir(area.prepared, { mode: 0o700 });
  for (const move of moves) await moveOne(move, signal);
  for (const area of spread) await syncTree(area.prepared);
  await systemFiles.syncDirectory(prepared);
  return spread;
}

/** Removes what a restore that did not take place left in the areas. What was moved in is not there any more. */
export async function removeSpread(prepared: string, id: string): Promise<void> {
  for (const directory of await recorded(prepared)) {
    const paths = areaPaths(directory, id);
    await rm(paths.prepared, { recursive: true, force: true });
    await systemFiles.removeIfEmpty(paths.old);
  }
  await forgetSpread(prepared);
}

/** What is in the areas now is for people. */
export async function forgetSpread(prepared: string): Promise<void> {
  const record = recordPath(prepared);
  for (const path of [record, temporaryFor(record)]) await rm(path, { force: true });
}

/** Where a restore has put files outside its own directory is known before it does, to whoever finds it after a crash. */
function recordPath(prepared: string): string {
  return join(dirname(prepared), `.holdfast-areas-${basename(prepared).replace('.holdfast-restore-', '')}.json`);
}

async function recorded(prepared: string): Promise<readonly string[]> {
  const text = await readSmallFile(recordPath(prepared), 1024 * 1024);
  return text === undefined ? [] : z.array(z.string().startsWith('/')).parse(JSON.parse(text));
}

async function planMoves(options: SpreadOptions, areas: readonly PreparedArea[]): Promise<readonly Move[]> {
  const { prepared } = options;
  const moves: Move[] = [];
  for (const name of await namesIn(prepared)) {
    const area = areas.find((each) => belongsInto(each, name));
    if (area !== undefined) moves.push({ from: join(prepared, name), to: join(area.prepared, name) });
  }
  const tables = await planTables(options, areas);
  tellOfStaying(
    options,
    options.links.filter((link) => !tables.has(link)),
  );
  return [...moves, ...tables.values()];
}

async function planTables(
  { prepared, target, links }: SpreadOptions,
  areas: readonly PreparedArea[],
): Promise<ReadonlyMap<TableLink, Move>> {
  const present = await findTableLinks(target);
  const moves = new Map<TableLink, Move>();
  for (const area of areas) {
    const old = new Set(linkedInto(area, present).map(({ table }) => `${table}.ibd`));
    const taken = new Set((await namesIn(area.directory)).filter((name) => !old.has(name) && !owns(area.owned, name)));
    for (const link of linkedInto(area, links)) {
      const files = tableFiles(prepared, link);
      const name = `${link.table}.ibd`;
      if (taken.has(name) || link.path === undefined || !(await isThere(files.tablespace))) continue;
      taken.add(name);
      moves.set(link, {
        from: files.tablespace,
        to: join(area.prepared, name),
        ...(files.link === undefined ? {} : { link: { path: files.link, text: link.path } }),
      });
    }
  }
  return moves;
}

function tellOfStaying({ onLog, target }: Pick<SpreadOptions, 'onLog' | 'target'>, links: readonly TableLink[]): void {
  for (const { database, table, path, file = `${database}/${table}.ibd` } of links) {
    const there = path === undefined ? '' : ` in ${dirname(path)}`;
    onLog(`${file} is restored into ${target}; the server of the backup kept it elsewhere${there}`);
  }
}

/** On the file systems to which files are copied, now that their sizes are known. */
async function requireRoom(prepared: string, moves: readonly Move[]): Promise<void> {
  const home = (await stat(prepared)).dev;
  const needed = new Map<number, { directory: string; bytes: number }>();
  for (const { from, to } of moves) {
    const directory = dirname(dirname(to));
    const { dev } = await stat(directory);
    if (dev === home) continue;
    const bytes = (needed.get(dev)?.bytes ?? 0) + (await bytesOf(from));
    needed.set(dev, { directory, bytes });
  }
  for (const { directory, bytes } of needed.values()) {
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize >= bytes) continue;
    throw new PermanentFailure(
      'space-missing',
      `Cannot put restored files into ${directory} as there is too little room: ${bytes} bytes are needed, ${bavail * bsize} are free`,
      { nextStep: 'Make room there, or move these tables or logs of the server to a larger file system first.' },
    );
  }
}

async function moveOne({ from, to, link }: Move, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error;
    await ((await stat(from)).isDirectory() ? moveEntries(from, to, signal) : moveBytes(from, to, signal));
  }
  if (link !== undefined) await systemFiles.writeDurably(link.path, link.text);
}

/** To another file system. */
async function moveBytes(from: string, to: string, signal: AbortSignal): Promise<void> {
  await pipeline(createReadStream(from, { highWaterMark }), createWriteStream(to, { flags: 'wx', flush: true }), {
    signal,
  });
  await unlink(from);
}

/** A directory to another file system. */
async function moveEntries(from: string, to: string, signal: AbortSignal): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const name of await namesIn(from)) await moveOne({ from: join(from, name), to: join(to, name) }, signal);
  await rmdir(from);
}

async function bytesOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const name of await namesIn(path)) bytes += await bytesOf(join(path, name));
  return bytes;
}

const highWaterMark = 1024 * 1024;

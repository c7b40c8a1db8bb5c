import { expect } from 'vitest';
import type { Clock } from '../../../src/lib/clock.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { ObjectNotFound } from '../../../src/storage/storage.ts';
import { Attempt } from '../../../src/repository/attempt.ts';
import { exportFiles } from '../../../src/repository/export-files.ts';
import { IndexReader } from '../../../src/repository/index-reader.ts';
import { LogBook } from '../../../src/repository/log-book.ts';
import {
  BACKUPS,
  BEGUN,
  backupOfKey,
  indexKey,
  parseBegunKey,
  parseSegmentName,
  SEALS,
  segmentKey,
} from '../../../src/repository/names.ts';
import { prune } from '../../../src/repository/prune.ts';
import { initRepository, type Repository } from '../../../src/repository/repository.ts';
import { isDeleted, readSettlement } from '../../../src/repository/settle.ts';
import { isoTime } from '../../../src/lib/clock.ts';
import { type Files, piecesOf, randomSource } from '../../support/pieces.ts';
import { neverAborted, someFields } from '../../support/repositories.ts';
import { type Actor, NO_LAG } from './scheduler.ts';

const signal = neverAborted;
const BLOCK = 16_384;
/** Small, so that one backup has several segments. */
const TUNING = { segmentBytes: 144 << 10, frameBytes: 32 << 10, compressions: 1, uploads: 2 };

/** What actors achieve: backups that were reported good, those that took up or leaned on others' data, and so on. */
export const deeds = ['sealed', 'adopted', 'leaning', 'collected', 'restored'] as const;
export type Deed = (typeof deeds)[number];

/** What is true of the repository, seen from outside: what was written, what was asked for, and what must restore. */
export class World {
  readonly random: () => number;
  readonly base: MemoryStorage;
  readonly repository: Repository;
  readonly time: { now: number; listLagMs: number };
  /** The server's files when each attempt read them. */
  readonly written = new Map<string, Files>();
  /** Restores that failed within 24 hours. */
  readonly failedReads: string[] = [];
  /** What was done, so that a test can tell that anything was. */
  readonly done: Record<Deed, number>;
  /** Backups whose writer was told that they are good. */
  readonly reported = new Set<string>();
  /** Backups that somebody asked to delete or to give up. */
  readonly unwanted = new Set<string>();
  readonly backups: { readonly id: string; readonly lineage: string }[] = [];
  readonly #servers = new Map<string, Map<string, Buffer>>();
  /** Segments and index of each seal seen, by its bytes: read once, then only looked for. */
  readonly #needs = new Map<string, readonly string[]>();

  private constructor(parts: Pick<World, 'random' | 'base' | 'repository' | 'time' | 'done'>) {
    this.random = parts.random;
    this.base = parts.base;
    this.repository = parts.repository;
    this.time = parts.time;
    this.done = parts.done;
  }

  /** @param options.done where to add up what is done; many worlds may share it */
  static async create(
    seed: number,
    { conditionalPut, done }: { readonly conditionalPut: boolean; readonly done: Record<Deed, number> },
  ): Promise<World> {
    const random = randomSource(seed);
    const time = { now: 1_800_000_000_000, listLagMs: NO_LAG };
    // Machines of one store differ by some minutes.
    const clock: Clock = { now: () => time.now, elapsed: () => time.now, sleep: async () => Promise.resolve() };
    const stamps: Clock = { ...clock, now: () => time.now + Math.floor(random() * 20) * 60_000 };
    const base = new MemoryStorage({
      clock: stamps,
      ignoreIfAbsent: !conditionalPut,
      get listLagMs() {
        return time.listLagMs;
      },
    });
    const repository = await initRepository(base, { clock, signal, conditionalPut, unlock: undefined, label: '' });
    return new World({ random, base, repository, time, done });
  }

  newBackup(lineage: string): string {
    const suffix = Math.floor(this.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
    const id = `${isoTime(this.time.now).replaceAll(/[-:]|\.\d+/g, '')}-${suffix}`;
    this.backups.push({ id, lineage });
    return id;
  }

  seen(actor: Actor): Repository {
    return { ...this.repository, storage: actor };
  }

  async write(actor: Actor, { backup, lineage }: { backup: string; lineage: string }): Promise<void> {
    const repository = this.seen(actor);
    const files = this.#changed(lineage);
    const attempt = await Attempt.start(repository, {
      backup,
      service: 'db',
      lineage,
      writer: actor.name,
      level: 0,
      signal,
      tuning: TUNING,
    });
    this.written.set(attempt.name.attempt, files);
    for (const pieces of piecesOf(files, this.random)) await attempt.writer.write(pieces);
    const written = await attempt.writer.finish();
    await attempt.putLog(new LogBook());
    const source = { ...someFields.source, lineage };
    await attempt.seal(written, { ...someFields, source });
    this.reported.add(backup);
    this.done.sealed += 1;
    const names = [...written.segments].map(({ name }) => parseSegmentName(name));
    if (names.some((name) => name?.backup === backup && name.attempt !== attempt.name.attempt)) this.done.adopted += 1;
    if (names.some((name) => name?.backup !== backup)) this.done.leaning += 1;
  }

  /** Removes what nothing needs any more. */
  async collect(actor: Actor): Promise<void> {
    const { remove } = await prune(this.seen(actor), { signal, isDryRun: false });
    if (remove.some(({ key }) => key.startsWith(BACKUPS))) this.done.collected += 1;
  }

  /** Reads a whole backup, slowly. One that was not deleted when it began must come to its end within 24 hours. */
  async read(actor: Actor): Promise<void> {
    const repository = this.seen(actor);
    const alive = (await this.alive()).toSorted();
    const chosen = alive.at(-1 - Math.floor(this.random() * 2)) ?? '';
    if (chosen === '') return;
    const begun = this.time.now;
    const sealed = await readSettlement(repository, chosen, signal);
    if (sealed?.state !== 'sealed' || (await isDeleted(repository, chosen, signal))) return;
    try {
      for await (const piece of exportFiles(repository, sealed, signal)) void piece;
    } catch (error) {
      const hours = (this.time.now - begun) / 3600_000;
      if (!actor.isDead && hours < 23) this.failedReads.push(`${chosen} after ${hours} hours: ${String(error)}`);
      throw error;
    }
    this.done.restored += 1;
  }

  /** Every sealed, undeleted backup has all that it needs, and what was reported good is still there. */
  async check(): Promise<void> {
    expect(this.failedReads, 'restores under way').toEqual([]);
    const alive = await this.alive();
    for (const backup of alive) {
      for (const key of await this.#needsOf(backup)) {
        if (!this.base.objects.has(key)) throw new Error(`backup ${backup} is sealed and lacks ${key}`);
      }
    }
    for (const backup of this.reported) {
      if (!this.unwanted.has(backup)) expect(alive, `backup ${backup} was reported good`).toContain(backup);
    }
  }

  /** Restores all that must restore. */
  async restoreAll(): Promise<void> {
    for (const backup of await this.alive()) await this.#restore(backup);
  }

  /** Begun and neither sealed nor void. */
  unsettled(): string[] {
    return this.backups.map(({ id }) => id).filter((id) => !this.base.objects.has(`${SEALS}${id}.json`));
  }

  /** Sealed and not deleted, by the objects themselves. */
  async alive(): Promise<string[]> {
    const found: string[] = [];
    for (const key of this.base.objects.keys()) {
      const backup = backupOfKey(key, SEALS);
      if (backup === undefined || (await isDeleted(this.repository, backup, signal))) continue;
      if ((await readSettlement(this.repository, backup, signal))?.state === 'sealed') found.push(backup);
    }
    return found;
  }

  /** Once all is settled, pruned and long ago: nothing is left that nobody needs. */
  async checkNothingIsLeft(): Promise<void> {
    const alive = new Set(await this.alive());
    const needed = new Set<string>();
    for (const backup of alive) for (const key of await this.#needsOf(backup)) needed.add(key);
    const owners = new Set([...alive, ...[...needed].map((key) => key.split('/')[1])]);
    const isDataOfNobody = (key: string): boolean =>
      key.startsWith(BACKUPS) && !needed.has(key) && !alive.has(key.split('/')[1] ?? '');
    const isBegunOfNobody = (key: string): boolean => key.startsWith(BEGUN) && !owners.has(parseBegunKey(key)?.backup);
    const left = [...this.base.objects.keys()].filter((key) => isDataOfNobody(key) || isBegunOfNobody(key));
    expect(left, 'what nobody needs').toEqual([]);
  }

  async #needsOf(backup: string): Promise<readonly string[]> {
    const seal = this.base.objects.get(`${SEALS}${backup}.json`)?.bytes.toString('utf8') ?? '';
    const known = this.#needs.get(seal);
    if (known) return known;
    const sealed = await readSettlement(this.repository, backup, signal);
    if (sealed?.state !== 'sealed') throw new Error('not sealed');
    try {
      await this.#restore(backup);
      const index = await IndexReader.open(sealed, { ...this.repository, signal });
      const needs = [indexKey(sealed), ...(await index.segments()).map(({ name }) => segmentKey(name))];
      this.#needs.set(seal, needs);
      return needs;
    } catch (error) {
      if (error instanceof ObjectNotFound) throw new Error(`backup ${backup} does not restore`, { cause: error });
      throw error;
    }
  }

  async #restore(backup: string): Promise<void> {
    const sealed = await readSettlement(this.repository, backup, signal);
    if (sealed?.state !== 'sealed') throw new Error(`backup ${backup} is not sealed`);
    const parts = new Map<string, Uint8Array[]>();
    for await (const piece of exportFiles(this.repository, sealed, signal)) {
      const list = parts.get(piece.path) ?? [];
      parts.set(piece.path, list);
      if (piece.type === 'data') list.push(piece.bytes);
    }
    const expected = this.written.get(sealed.attempt) ?? new Map<string, Buffer>();
    expect([...parts.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
    for (const [path, bytes] of expected) {
      if (!Buffer.concat(parts.get(path) ?? []).equals(bytes)) throw new Error(`${path} of backup ${backup} differs`);
    }
  }

  /** The server goes on between two backups: some blocks change, tables come and go. */
  #changed(lineage: string): Files {
    const files = this.#servers.get(lineage) ?? new Map<string, Buffer>();
    this.#servers.set(lineage, files);
    for (const [name, blocks] of [
      ['big', 11],
      ['other', 5],
      [`t${Math.floor(this.random() * 3)}`, 1],
    ] as const) {
      const bytes = Buffer.from(files.get(name) ?? Buffer.alloc(blocks * BLOCK));
      const isNew = !files.has(name);
      for (let block = 0; block < blocks; block += 1) {
        if (isNew || this.random() < 0.2) this.#page().copy(bytes, block * BLOCK);
      }
      files.set(name, bytes);
    }
    return new Map(files);
  }

  #page(): Buffer {
    const page = Buffer.alloc(BLOCK);
    for (let at = 0; at < 32; at += 4) page.writeUInt32LE(Math.floor(this.random() * 2 ** 32), at);
    return page;
  }
}

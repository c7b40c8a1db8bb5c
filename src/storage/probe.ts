import { randomUUID } from 'node:crypto';

import { Failure } from '../lib/failure.ts';
import { ObjectNotFound, type Abortable, type Storage } from './storage.ts';

export type ProbedVerb = 'put' | 'get' | 'get range' | 'put if absent' | 'list' | 'delete';

/** What one verb did. Shapes are for people and for code alike: `failure` is set when the verb does not do its work. */
export interface ProbeFinding {
  readonly verb: ProbedVerb;
  /** `untested`: nothing could be stored to try it on. */
  readonly result: 'works' | 'fails' | 'untested';
  readonly failure?: Failure;
}

export interface ProbeReport {
  /** Does the store keep "if absent"? */
  readonly conditionalPut: boolean;
  /** One for each verb, in the order of trying. */
  readonly findings: readonly ProbeFinding[];
}

/**
 * Tries every verb with two small objects under `probe/<random>` and removes them. A verb that fails is a finding, not an
 * error; throws only the reason of an aborted signal.
 */
export async function probeStorage(storage: Storage, options: Abortable = {}): Promise<ProbeReport> {
  const probe = new Probe(storage, options);
  await probe.run();
  return { conditionalPut: probe.conditionalPut, findings: probe.findings };
}

class Probe {
  conditionalPut = false;
  readonly findings: ProbeFinding[] = [];
  readonly #storage: Storage;
  readonly #options: Abortable;
  readonly #folder = `probe/${randomUUID()}`;
  readonly #key = `${this.#folder}/whole`;
  readonly #conditionalKey = `${this.#folder}/if-absent`;
  readonly #bytes = Buffer.from(`Holdfast wrote this to try the store; it may be deleted. ${this.#folder}\n`);
  #isStored = false;

  constructor(storage: Storage, options: Abortable) {
    this.#storage = storage;
    this.#options = options;
  }

  async run(): Promise<void> {
    await this.#try('put', () => this.#put());
    await this.#tryStored('get', () => this.#get());
    await this.#tryStored('get range', () => this.#getRange());
    await this.#try('put if absent', () => this.#putIfAbsent());
    await this.#try('list', () => this.#list());
    await this.#try('delete', () => this.#delete());
  }

  async #try(verb: ProbedVerb, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.findings.push({ verb, result: 'works' });
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      this.findings.push({ verb, result: 'fails', failure: asFailure(error, verb) });
    }
  }

  async #tryStored(verb: ProbedVerb, work: () => Promise<void>): Promise<void> {
    if (this.#isStored) await this.#try(verb, work);
    else this.findings.push({ verb, result: 'untested' });
  }

  async #put(): Promise<void> {
    await this.#storage.put(this.#key, this.#bytes, this.#options);
    this.#isStored = true;
  }

  async #get(): Promise<void> {
    const found = await this.#storage.get(this.#key, this.#options);
    if (!found.equals(this.#bytes)) throw changed('the bytes read back are not those that were stored');
  }

  async #getRange(): Promise<void> {
    const range = { start: 9, end: 14 };
    const found = await this.#storage.get(this.#key, { ...this.#options, range });
    if (!found.equals(this.#bytes.subarray(range.start, range.end)))
      throw changed('a range read back is not what was stored there');
  }

  /** The second put is the test; a first one that was repeated after a lost answer says `exists` too. */
  async #putIfAbsent(): Promise<void> {
    const options = { ...this.#options, ifAbsent: true };
    await this.#storage.put(this.#conditionalKey, this.#bytes, options);
    const second = await this.#storage.put(this.#conditionalKey, Buffer.from('another'), options);
    this.conditionalPut = second === 'exists';
  }

  /** Lists may lag behind, so only the permission is tried. */
  async #list(): Promise<void> {
    for await (const { key } of this.#storage.list(`${this.#folder}/`, this.#options)) {
      if (!key.startsWith(`${this.#folder}/`)) throw changed(`a list shows what was not asked for: ${key}`);
    }
  }

  async #delete(): Promise<void> {
    await this.#storage.delete([this.#key, this.#conditionalKey], this.#options);
    if (!this.#isStored) return;
    const left = await this.#storage.get(this.#key, this.#options).catch((error: unknown) => {
      if (error instanceof ObjectNotFound) return undefined;
      throw error;
    });
    if (left !== undefined) throw changed('an object can still be read after it was deleted');
  }
}

function changed(what: string): Failure {
  return new Failure('storage-unreliable', `Cannot rely on the store as ${what}`, {
    nextStep: 'Look for a cache or a proxy between this machine and the store.',
  });
}

function asFailure(error: unknown, verb: ProbedVerb): Failure {
  if (error instanceof Failure) return error;
  return new Failure('storage-failed', `Cannot use the store as "${verb}" failed: ${String(error)}`, { cause: error });
}

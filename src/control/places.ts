import type { SpecOf } from '../api/resources.ts';
import type { Failure } from '../lib/failure.ts';
import type { Storage } from '../storage/storage.ts';
import type { SecretRecord } from './secrets.ts';

/** Where a store is and what opens it. */
export interface StorePlace {
  readonly spec: Pick<SpecOf<'StorageLocation'>, 'place' | 'isEncrypted'>;
  readonly secrets: SecretRecord;
  /** Below the location; undefined for its top. */
  readonly folder: string | undefined;
}

export interface ProbedVerbs {
  /** Does the store keep "if absent"? */
  readonly conditionalPut: boolean;
  /** In the order of trying; `failure` is set where the verb does not do its work. */
  readonly findings: readonly {
    readonly verb: string;
    readonly result: 'works' | 'fails' | 'untested';
    readonly failure?: Failure;
  }[];
}

/** The adapters of stores, handed in by the composition root. */
export interface Stores {
  /**
   * @param options.mayCreate may a directory that is not there be made?
   * @throws InvalidRequest `storage-location-invalid`, PermanentFailure where the credentials or the store are wrong
   */
  open(
    place: StorePlace,
    options: { readonly signal: AbortSignal; readonly mayCreate: boolean },
  ): Promise<Storage & AsyncDisposable>;
  /** Writes, reads back, lists and deletes two small objects. Throws only the reason of an aborted signal. */
  probe(storage: Storage, options: { readonly signal: AbortSignal }): Promise<ProbedVerbs>;
}

/** Secrets of one resource, by name: e.g. `secretAccessKey` or `token`. */
export type SecretRecord = Readonly<Record<string, string>>;

/**
 * Where the secrets of resources are kept, encrypted at rest: the credentials and passphrase of a `StorageLocation`, the
 * token of an `Agent`. They are in no resource and go out of the manager only to the agent or store that they are for.
 */
export interface SecretStore {
  /** @returns an empty record where nothing was set. @throws CorruptData `secret-damaged`, PermanentFailure `secrets-key-lost` */
  get(kind: string, name: string): Promise<SecretRecord>;
  /** Replaces all secrets of that resource; durable when it resolves. */
  set(kind: string, name: string, record: SecretRecord): Promise<void>;
  /** Of which there are secrets of this kind, in any order. */
  names(kind: string): Promise<readonly string[]>;
  /** Nothing there is success. */
  remove(kind: string, name: string): Promise<void>;
}

import type { Resource, ResourceKind, SpecOf, StatusOf } from '../api/resources.ts';

/** A change of a resource; `resource` is undefined when it was removed. */
export interface Change<Kind extends ResourceKind = ResourceKind> {
  readonly kind: Kind;
  readonly name: string;
  readonly resource: Resource<Kind> | undefined;
}

/**
 * Where resources are kept: a database, or the Kubernetes API. It promises only what both can.
 *
 * There are no transactions across resources; a name is unique within its kind. What a call returned is durable.
 * Every failure is a Failure; those that are not named here are transient.
 */
export interface Catalog extends AsyncDisposable {
  /** @throws Conflict `name-taken` */
  create<Kind extends ResourceKind>(
    kind: Kind,
    name: string,
    content: { readonly spec: SpecOf<Kind>; readonly status: StatusOf<Kind> },
  ): Promise<Resource<Kind>>;

  get<Kind extends ResourceKind>(kind: Kind, name: string): Promise<Resource<Kind> | undefined>;

  /**
   * Replaces spec and status if the resource is still at the version that is given.
   * @throws Conflict `changed-meanwhile`, also when it is gone or another one has its name now
   */
  replace<Kind extends ResourceKind>(resource: Resource<Kind>): Promise<Resource<Kind>>;

  /** Removes it if it is still at the version that is given. @throws Conflict `changed-meanwhile` */
  remove(resource: Resource): Promise<void>;

  /** All of one kind, in the order of their names; what changes meanwhile may or may not be seen. */
  list<Kind extends ResourceKind>(kind: Kind): AsyncIterable<Resource<Kind>>;

  /**
   * Every change from now on, in the order in which a resource changed; changes that follow each other quickly may come as
   * one. Whoever watches begins first and lists then, so that nothing is missed. Ends when the signal aborts; throws when
   * changes were lost: then begin and list again.
   */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<Change>;
}

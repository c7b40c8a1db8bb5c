import type { Resource, ResourceKind } from '../api/resources.ts';

/** Tells kinds apart for the compiler, too. */
export function isKind<Kind extends ResourceKind>(kind: Kind, resource: Resource): resource is Resource<Kind> {
  return resource.kind === kind;
}

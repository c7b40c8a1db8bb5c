import * as z from 'zod';
import {
  agentSpecSchema,
  agentStatusSchema,
  locationSpecSchema,
  locationStatusSchema,
  serviceSpecSchema,
  serviceStatusSchema,
} from './inventory.ts';
import { resourceNameSchema } from './resource-fields.ts';
import {
  backupSpecSchema,
  backupStatusSchema,
  drillSpecSchema,
  drillStatusSchema,
  restoreSpecSchema,
  restoreStatusSchema,
} from './runs.ts';

/**
 * The resources of a manager: what is wanted (`spec`) and what is (`status`). A resource is named by people; the name is
 * unique within its kind and never changes. Secrets are in none of them.
 */

export const resourceSchemas = {
  Agent: { spec: agentSpecSchema, status: agentStatusSchema },
  Service: { spec: serviceSpecSchema, status: serviceStatusSchema },
  StorageLocation: { spec: locationSpecSchema, status: locationStatusSchema },
  Backup: { spec: backupSpecSchema, status: backupStatusSchema },
  Restore: { spec: restoreSpecSchema, status: restoreStatusSchema },
  Drill: { spec: drillSpecSchema, status: drillStatusSchema },
} as const;

export const resourceKinds = ['Agent', 'Service', 'StorageLocation', 'Backup', 'Restore', 'Drill'] as const;
export type ResourceKind = (typeof resourceKinds)[number];
/** The kinds that run on an agent. */
export const runKinds = ['Backup', 'Restore', 'Drill'] as const;
export type RunKind = (typeof runKinds)[number];

export type SpecOf<Kind extends ResourceKind> = z.output<(typeof resourceSchemas)[Kind]['spec']>;
export type StatusOf<Kind extends ResourceKind> = z.output<(typeof resourceSchemas)[Kind]['status']>;

export interface Resource<Kind extends ResourceKind = ResourceKind> {
  readonly kind: Kind;
  readonly name: string;
  /** Never used again, not even for a resource of the same name. */
  readonly uid: string;
  /** Changes with every change. */
  readonly version: number;
  readonly createdAt: string;
  readonly spec: SpecOf<Kind>;
  readonly status: StatusOf<Kind>;
}

type Schemas = { readonly [Kind in ResourceKind]: Pick<(typeof resourceSchemas)[Kind], 'spec' | 'status'> };
/** The same; told so that a kind that is a type parameter keeps its schemas apart. */
const schemas: Schemas = resourceSchemas;

/** As it stands in an answer. */
export function resourceSchema<Kind extends ResourceKind>(kind: Kind) {
  return z.object({
    kind: z.literal(kind),
    name: resourceNameSchema,
    uid: z.string(),
    version: z.int(),
    createdAt: z.iso.datetime(),
    spec: schemas[kind].spec,
    status: schemas[kind].status,
  });
}

import * as z from 'zod';
import { jobProgressSchema } from './jobs.ts';
import { resourceKinds, runKinds } from './resources.ts';

/**
 * `GET /api/v1/events`: server-sent events, each a JSON document. `change` says that a resource is another one now, or is
 * gone: read it again. `progress` is of what runs, at most a second old. `resync` says that events were lost: read all again.
 */
export const managerEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('change'), kind: z.enum(resourceKinds), name: z.string(), version: z.int().optional() }),
  z.object({ type: z.literal('progress'), kind: z.enum(runKinds), name: z.string(), progress: jobProgressSchema }),
  z.object({ type: z.literal('resync') }),
]);
export type ManagerEvent = z.output<typeof managerEventSchema>;

import * as z from 'zod';
import {
  backupId,
  backupResultSchema,
  drillResultSchema,
  jobFailureSchema,
  jobProgressSchema,
  restoreResultSchema,
} from './jobs.ts';
import { descriptionSchema, folderSchema, resourceNameSchema, retrySchema } from './resource-fields.ts';

/** What runs on an agent for a manager: backups, restores, drills. */

const time = z.iso.datetime();

/** Between two attempts a run is `Waiting`. The last three are final for restores and drills. */
export const runStateSchema = z.enum(['Pending', 'Starting', 'Running', 'Waiting', 'Succeeded', 'Failed', 'Cancelled']);
export type RunState = z.output<typeof runStateSchema>;
export const backupStateSchema = z.enum([...runStateSchema.options, 'Deleting', 'Deleted', 'DeleteFailed']);
export type BackupState = z.output<typeof backupStateSchema>;

const attemptSchema = z.object({
  number: z.int().positive(),
  startedAt: time,
  endedAt: time.optional(),
  failure: jobFailureSchema.optional(),
});
export type AttemptView = z.output<typeof attemptSchema>;

const runStatus = {
  /** Of the attempt at hand or the last one; 0 before the first. */
  attempt: z.int().nonnegative(),
  /** Oldest first. */
  attempts: z.array(attemptSchema),
  startedAt: time.optional(),
  endedAt: time.optional(),
  /** When the next attempt begins. */
  nextAttemptAt: time.optional(),
  /** Whom it waits for before it can begin, a sentence each. */
  waitingFor: z.array(z.string()).default([]),
  /** At most 10 seconds old while it runs; the events have it fresh. */
  progress: jobProgressSchema.optional(),
  /** Of the last attempt. */
  failure: jobFailureSchema.optional(),
};

export const proofSchema = z.object({
  /** `sealed`: complete by its own index; `checked`: every byte read back; `proven`: restored, started, queried. */
  level: z.enum(['sealed', 'checked', 'proven']),
  at: time,
  /** Names of the steps of the drill and how long each took. */
  steps: z.array(z.object({ name: z.string(), ms: z.int().nonnegative() })).optional(),
});
export type Proof = z.output<typeof proofSchema>;

export const backupSpecSchema = z.strictObject({
  service: resourceNameSchema,
  location: resourceNameSchema,
  folder: folderSchema.optional(),
  description: descriptionSchema,
  /** Level of zstd; 0 stores bytes as they are. */
  compression: z.int().min(0).max(19).default(1),
  parallel: z.int().min(1).max(64).optional(),
  lockedStallSeconds: z.number().min(1).max(3600).default(10),
  retry: retrySchema,
  /** The schedule that made it. */
  schedule: resourceNameSchema.optional(),
  /** Someone wants its end. */
  isCancelled: z.boolean().default(false),
  /** How many times a person asked for one more attempt. */
  retriesAsked: z.int().nonnegative().default(0),
  isPinned: z.boolean().default(false),
  isDeleted: z.boolean().default(false),
});

export const backupStatusSchema = z.object({
  state: backupStateSchema,
  /** Its name in the repository. */
  id: backupId,
  agent: resourceNameSchema.optional(),
  technology: z.string().optional(),
  ...runStatus,
  /** How many of the retries that were asked for have begun. */
  retriesTaken: z.int().nonnegative().default(0),
  /** Does its repository say that it is pinned? */
  isPinned: z.boolean().default(false),
  /** The seal. */
  result: backupResultSchema.optional(),
  proof: proofSchema.optional(),
  deletedAt: time.optional(),
});

export const restoreSpecSchema = z.strictObject({
  backup: resourceNameSchema,
  agent: resourceNameSchema,
  target: z.union([
    z.strictObject({ directory: z.string().min(1).max(4000).startsWith('/') }),
    /** In place of the data directory of this service, which its agent stops and starts. */
    z.strictObject({ service: resourceNameSchema }),
  ]),
  /** A copy that runs beside its source needs a server identity of its own. */
  identity: z.enum(['new', 'keep']),
  /** May the restored server begin to replicate when it starts? */
  replication: z.enum(['stopped', 'start']),
  /** In place: tables of the server that are in no backup may be missing afterwards. */
  acceptsMissingTables: z.boolean().optional(),
  memoryBytes: z.int().min(67_108_864).optional(),
  isCancelled: z.boolean().default(false),
});
export const restoreStatusSchema = z.object({
  state: runStateSchema,
  ...runStatus,
  /** The steps that ended, and how long each took, in milliseconds. */
  result: restoreResultSchema.optional(),
});

export const drillSpecSchema = z.strictObject({
  backup: resourceNameSchema,
  agent: resourceNameSchema,
  depth: z.enum(['quick', 'extended']).default('quick'),
  withChecksums: z.boolean().default(false),
  memoryBytes: z.int().min(67_108_864).optional(),
  isCancelled: z.boolean().default(false),
});
export const drillStatusSchema = z.object({
  state: runStateSchema,
  ...runStatus,
  result: drillResultSchema.optional(),
});

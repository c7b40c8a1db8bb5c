import * as z from 'zod';
import { failureClassNames } from '../lib/failure.ts';

/** What an agent does for a long time: each is a job, named by whoever asks for it. */
export const jobKinds = ['backup', 'restore', 'drill'] as const;
export const jobKindSchema = z.enum(jobKinds);
export type JobKind = z.infer<typeof jobKindSchema>;

/** The last three are final. */
export const jobStateSchema = z.enum(['Starting', 'Running', 'Succeeded', 'Failed', 'Cancelled']);
export type JobState = z.infer<typeof jobStateSchema>;

const time = z.iso.datetime();
const bytes = z.int().nonnegative();
export const backupId = z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/, 'an id such as 20261121T014327Z-9f3a21bc');
/** Begins with a letter or digit, so that it is never an option, a hidden file or a way up. */
const jobName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,49}$/, 'letters, digits and hyphens, at most 50');
const label = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'no control characters');
/** The name that the agent's own file gives to a storage location. */
const locationName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'the name of a storage location of the agent');
const folder = z
  .string()
  .max(500)
  .regex(/^[^\p{Cc}\\]+$/u, 'no control characters or backslashes')
  .refine((text) => text.split('/').every((part) => !['', '.', '..'].includes(part)), 'names with / between them');

/** Ids: a backup's is the one it has in its repository; those of the others are free. */
export const jobIdSchemas = { backup: backupId, restore: jobName, drill: jobName } as const;

/** Counted by the caller from 1: the same one again gets the same answer, a lower one is refused. */
const attempt = z.int().min(1).max(1_000_000);

/**
 * A storage location that the caller brings along, with its secrets; the agent's own file says which ones it takes. Secrets
 * stay in the memory of the agent, and only until the job has ended.
 */
export const managedLocationSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/, 'the name of a storage location of the manager'),
  /** `s3://bucket/prefix?…` or an absolute path, without secrets. */
  location: z.string().min(1).max(5000),
  /** Of an S3 store. Without them the agent looks where programs for S3 usually do. */
  credentials: z
    .strictObject({
      accessKeyId: z.string().min(1).max(500),
      secretAccessKey: z.string().min(1).max(500),
      sessionToken: z.string().min(1).max(5000).optional(),
    })
    .optional(),
  /** A repository that is not there yet is made so by its first backup. */
  encryption: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('none') }),
    z.strictObject({ type: z.literal('passphrase'), passphrase: z.string().min(1).max(1000) }),
  ]),
});
export type ManagedLocation = z.output<typeof managedLocationSchema>;

const locationSchema = z.union([locationName, managedLocationSchema]);
/** A name in the agent's own file, or a location that comes with the request. */
export type LocationWish = z.output<typeof locationSchema>;

const repositoryFields = { location: locationSchema, folder: folder.optional() };
/** As a job tells of it: without secrets. */
const shownLocation = { location: z.union([locationName, z.object({ name: z.string(), location: z.string() })]) };
/** For applying the redo log. */
const memoryBytes = z
  .int()
  .min(64 * 1024 * 1024)
  .max(2 ** 46)
  .optional();

export const backupRequestSchema = z.strictObject({
  attempt,
  name: label,
  service: label,
  schedule: label.optional(),
  ...repositoryFields,
  /** Level of zstd; 0 stores bytes as they are. */
  compression: z.int().min(0).max(19).default(1),
  /** Threads that the tool copies with; the engine's own default without it. */
  parallel: z.int().min(1).max(64).optional(),
  /** While the server is locked, a longer stall ends the attempt, and with it the lock. */
  lockedStallSeconds: z.number().min(1).max(3600).default(10),
});

export const restoreTargetSchema = z.union([
  /** Absolute, absent or empty, below one of the directories that the agent's own file lists. */
  z.strictObject({ directory: z.string().min(1).max(4000).startsWith('/') }),
  /** In place of the data directory of the agent's server, which is stopped and started. */
  z.strictObject({ inPlace: z.literal(true) }),
]);

export const restoreRequestSchema = z.strictObject({
  attempt,
  backup: backupId,
  ...repositoryFields,
  target: restoreTargetSchema,
  /** `new`: a server identity of its own; `keep`: in place, that of the server that was there. Left out: as the backup has it. */
  identity: z.enum(['new', 'keep']).optional(),
  /** `stopped`: the server does not begin to replicate when it starts. Left out: as the backup has it. */
  replication: z.enum(['stopped', 'start']).optional(),
  /** In place: tables of the server that are in no backup may be missing afterwards. */
  acceptsMissingTables: z.boolean().optional(),
  memoryBytes,
});
export type RestoreRequest = z.output<typeof restoreRequestSchema>;

export const drillRequestSchema = z.strictObject({
  attempt,
  backup: backupId,
  ...repositoryFields,
  memoryBytes,
  /** `quick` reads the structure of each table, `extended` every row and index entry. */
  depth: z.enum(['quick', 'extended']).default('quick'),
  /** Also `CHECKSUM TABLE` of every table of users. */
  withChecksums: z.boolean().default(false),
});

export const jobRequestSchemas = {
  backup: backupRequestSchema,
  restore: restoreRequestSchema,
  drill: drillRequestSchema,
} as const;
/** What is asked of an agent, complete. */
export type JobRequest = z.output<(typeof jobRequestSchemas)[JobKind]>;

/** How far a job is. A restore or drill reads from the store, a backup from the server's files. */
export const jobProgressSchema = z.object({
  /** E.g. `copying`, `download`, `prepare`. */
  step: z.string(),
  bytes: z.object({ read: bytes, expected: bytes.optional(), uploaded: bytes.optional() }),
  /** Of a drill that checks its tables. */
  tables: z.object({ done: z.int().nonnegative(), total: z.int().nonnegative() }).optional(),
  /** Bytes read per second, over the last half minute. */
  ratePerSecond: z.number().nonnegative().optional(),
  /** Of the step; absent until it can be told. */
  etaSeconds: z.number().nonnegative().optional(),
  /** Does the tool hold a lock on the server? */
  isLocked: z.boolean(),
  /** Where the data of a restore goes. */
  directory: z.string().optional(),
});
export type JobProgress = z.infer<typeof jobProgressSchema>;

export const jobFailureSchema = z.object({
  /** Absent in records of earlier versions. */
  class: z.enum(failureClassNames).optional(),
  code: z.string(),
  message: z.string(),
  nextStep: z.string().optional(),
  /** The last lines of a tool, or what was found instead. */
  evidence: z.array(z.string()),
  /** Messages of the errors behind it, the nearest first. */
  causes: z.array(z.string()),
  /** Trying again cannot help. */
  isPermanent: z.boolean(),
});
export type JobFailure = z.infer<typeof jobFailureSchema>;

const doneSteps = z.array(z.object({ name: z.string(), ms: z.int().nonnegative() }));

/** The seal of the backup, as it stands in the repository. */
export const backupResultSchema = z.looseObject({
  backup: backupId,
  attempt: z.string(),
  name: z.string(),
  service: z.string(),
  source: z.looseObject({ vendor: z.string(), serverVersion: z.string(), lineage: z.string(), engine: z.string() }),
  startedAt: time,
  endedAt: time,
  sealedAt: time,
  gtid: z.string(),
  binlog: z.object({ file: z.string(), position: z.string() }).optional(),
  toLsn: z.string(),
  /** The backup that this one leaned on. */
  parent: backupId.optional(),
  files: z.int().nonnegative(),
  logicalBytes: bytes,
  storedBytes: bytes,
});

export const restoreResultSchema = z.object({
  /** Holds the restored data. */
  target: z.string(),
  /** Holds what the target held before. */
  old: z.string().optional(),
  /** What else belongs to the old data: paths outside that directory. */
  oldElsewhere: z.array(z.string()).default([]),
  steps: doneSteps,
  /** Where replication of the restored data would go on: empty or absent where the source kept no such position. */
  gtid: z.string().default(''),
  binlog: z.object({ file: z.string(), position: z.string() }).optional(),
});

export const drillResultSchema = z.object({
  serverVersion: z.string(),
  tables: z.int().nonnegative(),
  views: z.int().nonnegative(),
  /** Tables that could not be looked at, with their engine. */
  unchecked: z.array(z.string()),
  /** `schema.table` ↦ checksum, where asked for. */
  checksums: z.record(z.string(), z.string()),
  steps: doneSteps,
});

const common = {
  attempt,
  state: jobStateSchema,
  ...jobProgressSchema.shape,
  startedAt: time,
  /** When the agent last knew it alive. */
  updatedAt: time,
  endedAt: time.optional(),
  /** Someone asked for its end; it may still succeed. */
  isCancelled: z.boolean(),
  failure: jobFailureSchema.optional(),
};

export const backupJobSchema = z.object({
  kind: z.literal('backup'),
  id: backupId,
  request: z.object({ ...backupRequestSchema.shape, ...shownLocation }),
  ...common,
  result: backupResultSchema.optional(),
});
export const restoreJobSchema = z.object({
  kind: z.literal('restore'),
  id: jobName,
  request: z.object({ ...restoreRequestSchema.shape, ...shownLocation }),
  ...common,
  result: restoreResultSchema.optional(),
});
export const drillJobSchema = z.object({
  kind: z.literal('drill'),
  id: jobName,
  request: z.object({ ...drillRequestSchema.shape, ...shownLocation }),
  ...common,
  result: drillResultSchema.optional(),
});

/** One job as an agent tells of it. */
export const jobSchema = z.discriminatedUnion('kind', [backupJobSchema, restoreJobSchema, drillJobSchema]);
export type Job = z.output<typeof jobSchema>;
export type JobOf<Kind extends JobKind> = Extract<Job, { kind: Kind }>;

/** A request as it is kept and shown: of a location that came with it only the name and where it is. */
export function withoutSecrets(request: JobRequest): Job['request'] {
  const { location } = request;
  if (typeof location === 'string') return { ...request, location };
  return { ...request, location: { name: location.name, location: location.location } };
}

export function isEnded(state: JobState): boolean {
  return state === 'Succeeded' || state === 'Failed' || state === 'Cancelled';
}

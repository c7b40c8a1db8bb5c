import * as z from 'zod';

const path = z.string().min(1).startsWith('/');
/** A program's path and its arguments; no shell reads them. */
const command = z.tuple([path], z.string());

const databaseSchema = z.strictObject({
  socket: path.optional(),
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: z.string().min(1).optional(),
  /** Its first line is the password. */
  passwordFile: path.optional(),
  /** An option file of MySQL's kind, whose section `[client]` fills what is missing. */
  defaultsFile: path.optional(),
});

const locationSchema = z.strictObject({
  /** `/directory` or `s3://bucket/prefix?region=…`, never with credentials. */
  location: z.string().min(1),
  /** Lines `aws_access_key_id = …` and `aws_secret_access_key = …`; the usual places are searched without it. */
  credentialsFile: path.optional(),
  /** How repositories here are encrypted; one that is not encrypted must be wanted. */
  encryption: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('passphrase'), file: path }),
    z.strictObject({ type: z.literal('key-file'), file: path }),
    z.strictObject({ type: z.literal('none') }),
  ]),
});

const controlSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('systemd'), unit: z.string().regex(/^[A-Za-z0-9@][A-Za-z0-9:_.@-]*$/) }),
  z.strictObject({ type: z.literal('commands'), stop: command, start: command }),
]);

/** The agent's own file, in JSON. No request can change what it says. */
export const configFileSchema = z.strictObject({
  listen: z
    .strictObject({
      address: z.string().min(1).default('127.0.0.1'),
      /** 0 takes a free one. */
      port: z.int().min(0).max(65_535).default(7443),
    })
    .prefault({}),
  stateDirectory: path.optional(),
  /** `null`: no database server on this host, it is for drills and restores. */
  database: databaseSchema.nullable().default({}),
  /** What requests may name. */
  locations: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/), locationSchema).default({}),
  /**
   * Storage locations that requests may bring along, each the beginning of where they may be: `s3://bucket/prefix?endpoint=…`,
   * a directory, or `*` for any.
   */
  managedLocations: z.array(z.union([z.literal('*'), z.string().regex(/^(\/|s3:\/\/)/)])).default([]),
  restore: z
    .strictObject({
      /** Restores go below these and nowhere else. */
      directories: z.array(path).default([]),
      /** May the data directory of the server be replaced? */
      mayRestoreInPlace: z.boolean().default(false),
      /** How the server is stopped and started; without it a person must stop it first. */
      control: controlSchema.optional(),
      /** For stopping it, and for starting it until it answers. */
      controlLimitSeconds: z.number().min(1).max(86_400).default(600),
    })
    .prefault({}),
  drill: z
    .strictObject({
      /** Needs room for a whole database. Default: `drills` in the state directory. */
      directory: path.optional(),
      /** The server program; looked for on the PATH without it. */
      serverProgram: path.optional(),
    })
    .prefault({}),
  /** Default: a token that is made on the first start, `token` in the state directory. */
  tokenFile: path.optional(),
  /** Default: a certificate that is made on the first start and known by its fingerprint. */
  tls: z.strictObject({ certificateFile: path, keyFile: path }).optional(),
  /** Folders in which backup tools are looked for, as in PATH. */
  toolPath: z.string().min(1).optional(),
});

export type ConfigFile = z.output<typeof configFileSchema>;
export type LocationConfig = z.output<typeof locationSchema>;

import * as z from 'zod';

const path = z.string().min(1).startsWith('/');

/** The manager's own file, in JSON. */
export const configFileSchema = z.strictObject({
  listen: z
    .strictObject({
      /** With TLS wherever it can be reached from another host. */
      address: z.string().min(1).default('127.0.0.1'),
      /** 0 takes a free one. */
      port: z.int().min(0).max(65_535).default(7440),
    })
    .prefault({}),
  /** Catalog, secrets with their key, users. */
  stateDirectory: path.optional(),
  /** Default: a certificate that is made on the first start and known by its fingerprint; on this host alone none. */
  tls: z.strictObject({ certificateFile: path, keyFile: path }).optional(),
  /** Where people and agents reach it, where that is not the address it listens on. */
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Addresses of proxies before it, whose word on where a request came from counts. */
  trustedProxies: z.array(z.string().min(1)).default([]),
  /** How long an agent may be silent until the attempt under way there has failed. */
  lostAfterSeconds: z.number().min(30).max(86_400).default(600),
});

export type ConfigFile = z.output<typeof configFileSchema>;

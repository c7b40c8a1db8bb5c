import * as z from 'zod';
import type { StorageSecrets } from '../storage/open-storage.ts';

/** Options that every command takes; some of them may come from the environment. */
export const globalOptionsSchema = z.object({
  repository: z.string().optional(),
  passphraseFile: z.string().optional(),
  keyFile: z.string().optional(),
  json: z.boolean().default(false),
  quiet: z.boolean().default(false),
  verbose: z.boolean().default(false),
});
export type GlobalOptions = z.infer<typeof globalOptionsSchema>;

/** What the environment may say besides options; secrets never have an option. */
export interface Environment {
  readonly passphrase: string | undefined;
  readonly storageSecrets: StorageSecrets;
  /** Where tools are looked for. */
  readonly path: string;
  /** Passed on to tools. */
  readonly libraryPath: string | undefined;
  readonly databasePassword: string | undefined;
  readonly token: string | undefined;
  readonly stateHome: string | undefined;
}

export interface DocumentedVariable {
  readonly name: string;
  readonly meaning: string;
}

/** Variables without an option; those with one are named beside it in `--help`. */
export const environmentVariables: readonly DocumentedVariable[] = [
  {
    name: 'HOLDFAST_PASSPHRASE',
    meaning:
      'The passphrase itself. Less safe than a file: other processes of the same user, and root, can read the environment.',
  },
  { name: 'HOLDFAST_S3_ACCESS_KEY_ID', meaning: 'Credentials of an S3 store; goes before AWS_ACCESS_KEY_ID.' },
  { name: 'HOLDFAST_S3_SECRET_ACCESS_KEY', meaning: 'Its secret; both or none.' },
  { name: 'HOLDFAST_S3_SESSION_TOKEN', meaning: 'For temporary credentials.' },
  {
    name: 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION',
    meaning: 'As for any program of AWS; the files below ~/.aws and the role of the machine are used, too.',
  },
  { name: 'HOLDFAST_DB_PASSWORD', meaning: 'Password of the database user. Less safe than --password-file.' },
  { name: 'HOLDFAST_TOKEN', meaning: "An agent's token. Less safe than --token-file." },
];

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  return {
    passphrase: filled(env['HOLDFAST_PASSPHRASE']),
    storageSecrets: {
      accessKeyId: filled(env['HOLDFAST_S3_ACCESS_KEY_ID']),
      secretAccessKey: filled(env['HOLDFAST_S3_SECRET_ACCESS_KEY']),
      sessionToken: filled(env['HOLDFAST_S3_SESSION_TOKEN']),
    },
    path: env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    libraryPath: filled(env['LD_LIBRARY_PATH']),
    databasePassword: filled(env['HOLDFAST_DB_PASSWORD']),
    token: filled(env['HOLDFAST_TOKEN']),
    stateHome: filled(env['XDG_STATE_HOME']),
  };
}

/** An empty variable is one that is not set. */
function filled(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

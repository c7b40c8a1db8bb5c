import { readPassphrase } from './unlock.ts';
import type { Output } from './output.ts';
import { formatFacts } from './table.ts';

/** A manager that runs. */
export interface Announced {
  readonly url: string;
  readonly fingerprint?: string | undefined;
  /** Holds the password of admin until it is changed. */
  readonly initialPasswordFile?: string | undefined;
}

/** Says where the manager is, and how to sign in for the first time. */
export async function announce(
  output: Output,
  manager: Announced,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { url, fingerprint, initialPasswordFile: passwordFile } = manager;
  output.json({ type: 'ready', url, fingerprint, user: 'admin', passwordFile, ...more });
  const password = passwordFile === undefined ? undefined : await readPassphrase(passwordFile, output);
  const facts: [string, string | undefined][] = [
    ...Object.entries(more),
    ['fingerprint', fingerprint],
    ['sign in as', password === undefined ? undefined : 'admin'],
    ['password', password],
    ['kept in', passwordFile === undefined ? undefined : `${passwordFile} until you change it`],
  ];
  output.text(`Holdfast is at ${url}`);
  const there = facts.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
  if (there.length > 0) output.text(...formatFacts(there).map((line) => `  ${line}`));
}

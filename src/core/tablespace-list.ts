import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import * as z from 'zod';
import { PermanentFailure } from '../lib/failure.ts';
import { isThere, readSmallFile } from './placement-files.ts';
import type { TableLink } from './table-links.ts';

/** Written by XtraBackup, which brings tablespaces from elsewhere into the backup under their own names. */
const name = 'xtrabackup_tablespaces';
const limitBytes = 64 * 1024 * 1024;

const schema = z.looseObject({
  external_tablespaces: z.array(
    z.looseObject({
      /** On the server that was backed up. */
      file_name: z.string(),
      /** `app/t`, `app/t#p#low`, or that of a general tablespace. */
      tablespace_name: z.string(),
      /** Lists of the first version have none. */
      tablespace_type: z.string().default('TABLESPACE'),
    }),
  ),
});

export interface ListedTablespaces {
  readonly links: readonly TableLink[];
  /** Where the source had what the backup lists and does not hold. A table that was dropped meanwhile is one of these. */
  readonly absent: readonly string[];
}

/** What a prepared backup of MySQL says of tables that its server kept elsewhere; nothing where it says nothing. */
export async function readTablespaceList(directory: string): Promise<ListedTablespaces> {
  const text = await readSmallFile(join(directory, name), limitBytes);
  const parsed = schema.safeParse(parseJson(text ?? ''));
  const links: TableLink[] = [];
  const absent: string[] = [];
  for (const { file_name: path, tablespace_name: space, tablespace_type: type } of parsed.data?.external_tablespaces ??
    []) {
    if (type !== 'TABLESPACE' || !isTablespace(path)) continue;
    const file = await findFile(directory, { path, space });
    if (file === undefined) absent.push(path);
    else links.push({ database: parentOf(file), table: basename(path, '.ibd'), path: normalize(path), file });
  }
  return { links, absent };
}

/**
 * A server opens what its dictionary names, so a drill of a backup that lacks a tablespace would open the source's own one.
 * @throws PermanentFailure `tablespace-elsewhere`
 */
export async function refuseOnThisHost(absent: readonly string[]): Promise<void> {
  for (const path of absent) {
    if (!(await isThere(path))) continue;
    throw new PermanentFailure(
      'tablespace-elsewhere',
      `Cannot start a server on the backup here as it lacks a tablespace, and the server would open the one of this host: ${path}`,
      { nextStep: 'Drill it on a host that has no such file, or take a backup that has all tables.' },
    );
  }
}

/** By the name of the tablespace, or, where that has letters that no file name has, by that of its file. */
async function findFile(
  directory: string,
  { path, space }: { readonly path: string; readonly space: string },
): Promise<string | undefined> {
  for (const file of [`${space}.ibd`, join(basename(dirname(path)), basename(path))])
    if (isInside(file) && (await isThere(join(directory, file)))) return file;
  return undefined;
}

/** At the top or in a database, whatever the list says. */
function isInside(file: string): boolean {
  const parts = file.split('/');
  return parts.length <= 2 && parts.every((part) => part !== '' && part !== '.' && part !== '..');
}

function isTablespace(path: string): boolean {
  return isAbsolute(path) && path.endsWith('.ibd') && !path.includes('\0');
}

function parentOf(file: string): string {
  return file.includes('/') ? dirname(file) : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

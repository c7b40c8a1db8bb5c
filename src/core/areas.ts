import { dirname, join } from 'node:path';
import * as z from 'zod';
import { linkPath, type TableLink } from './table-links.ts';

/**
 * By what a server's files are told from others in a directory outside its data directory, which it may share.
 *
 * - `undo`, `redo`: InnoDB's undo tablespaces and redo log, by the names that MariaDB gives them
 * - `mysql-undo`, `mysql-redo`, `doublewrite`: the same and its doublewrite files, by the names that MySQL gives them
 * - `log`: binary or relay logs with this base name, and what the server keeps beside them
 * - `file`: one file
 * - `tables`: those that links in the data directory name in this directory, as it is written there
 * - `tablespaces`: all in this directory, written as the server writes it, but those that were there and not the server's when it
 *   was asked; MySQL has no links that tell
 */
export const ownedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('undo') }),
  z.object({ kind: z.literal('redo') }),
  z.object({ kind: z.literal('mysql-undo') }),
  z.object({ kind: z.literal('mysql-redo') }),
  z.object({ kind: z.literal('doublewrite') }),
  z.object({ kind: z.literal('log'), base: z.string().min(1) }),
  z.object({ kind: z.literal('file'), name: z.string().min(1) }),
  z.object({ kind: z.literal('tables'), told: z.string().startsWith('/') }),
  z.object({ kind: z.literal('tablespaces'), told: z.string().startsWith('/'), others: z.array(z.string()) }),
]);
export type Owned = z.infer<typeof ownedSchema>;

/** A directory outside the data directory in which a restore in place exchanges the files of one server. */
export interface Area {
  readonly directory: string;
  readonly owned: readonly Owned[];
}

/** Where the restored files of an area lie until they move in, and where the old ones go: in the same file system. */
export interface AreaPaths {
  readonly prepared: string;
  readonly old: string;
}

export function areaPaths(directory: string, id: string): AreaPaths {
  // Other names than beside the data directory, as that may lie in the very same directory.
  return {
    prepared: join(directory, `.holdfast-restore-${id}-part`),
    old: join(directory, `.holdfast-old-${id}-part`),
  };
}

/** Is this the name of such a file? Tables have no names of their own: they are those that are linked to. */
export function owns(owned: readonly Owned[], name: string): boolean {
  return owned.some((each) => {
    switch (each.kind) {
      case 'log':
        return name.startsWith(`${each.base}.`) && logSuffix.test(name.slice(each.base.length + 1));
      case 'file':
        return name === each.name;
      case 'tables':
        return false;
      case 'tablespaces':
        return name.endsWith('.ibd') && !each.others.includes(name);
      default:
        return systemNames[each.kind].test(name);
    }
  });
}

/** Of files that a server names by itself. */
const systemNames = {
  undo: /^undo\d{3,}$/,
  redo: /^ib_logfile\d+$/,
  // While MySQL truncates an undo log, a file beside it says so: the next start would do it to the restored one.
  'mysql-undo': /^undo_\d{3,}$|\.ibu$|^undo_\d+_trunc\.log$/,
  'mysql-redo': /^#innodb_redo$|^undo_\d+_trunc\.log$/,
  doublewrite: /^#ib_\d+_\d+\.b?dblwr$/,
} as const;

/** `bin.000001`, `bin.000001.idx`, `bin.index`, `bin.state`, `bin.~rec~` */
const logSuffix = /^(\d{6,}(\.idx)?|index|index_crash_safe|state|~rec~)$/;

/** Names of the tables in an area, by the links of a data directory. */
export function linkedInto({ owned }: Pick<Area, 'owned'>, links: readonly TableLink[]): readonly TableLink[] {
  const told = owned.flatMap((each) => (each.kind === 'tables' || each.kind === 'tablespaces' ? [each.told] : []));
  return links.filter(({ path }) => path !== undefined && told.includes(dirname(path)));
}

/** Of the top of a prepared directory: what belongs into the area instead. */
export function belongsInto({ owned }: Pick<Area, 'owned'>, name: string): boolean {
  return owns(
    owned.filter(({ kind }) => kind in systemNames),
    name,
  );
}

/** The file of a table in a prepared directory, and the link that its server needs, if it needs one. */
export function tableFiles(
  directory: string,
  link: TableLink,
): { readonly tablespace: string; readonly link: string | undefined } {
  if (link.file !== undefined) return { tablespace: join(directory, link.file), link: undefined };
  return { tablespace: join(directory, link.database, `${link.table}.ibd`), link: linkPath(directory, link) };
}

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../engine/engine.ts';
import { type Area, linkedInto, owns } from './areas.ts';
import { areasOf, type DataOutside } from './data-outside.ts';
import { canWrite, freeBytes, inGigabytes, leftoversIn } from './file-system-facts.ts';
import { namesIn, statIfThere } from './placement-files.ts';
import { findTableLinks } from './table-links.ts';

/** A directory outside the data directory, read without changing anything. */
export interface AreaFacts {
  readonly directory: string;
  readonly isThere: boolean;
  readonly isWritable: boolean;
  /** Of the file system; undefined where it is that of the data directory, where files only change their names. */
  readonly device: number | undefined;
  /** Undefined when it cannot be told. */
  readonly freeBytes: number | undefined;
  /** Of what lies there now: how much is restored there is known only once it is downloaded. */
  readonly heldBytes: number;
  /** What other restores prepared there. */
  readonly leftovers: readonly string[];
}

export async function gatherAreaFacts(target: string, outside: readonly DataOutside[]): Promise<readonly AreaFacts[]> {
  const areas = areasOf(outside);
  if (areas.length === 0) return [];
  const home = (await statIfThere(target))?.dev;
  const links = await findTableLinks(target).catch(() => []);
  const facts: AreaFacts[] = [];
  for (const area of areas) {
    const { directory } = area;
    const device = await deviceOf(directory);
    const tables = linkedInto(area, links).map(({ table }) => `${table}.ibd`);
    facts.push({
      directory,
      isThere: device !== undefined,
      isWritable: await canWrite(directory),
      device: device === home ? undefined : device,
      freeBytes: await freeBytes(directory),
      heldBytes: await bytesIn(area, tables),
      leftovers: await leftoversIn(directory),
    });
  }
  return facts;
}

/** May a data directory be replaced whose server has these, and what becomes of each? Pure. */
export function judgeOutside(
  target: string,
  outside: readonly DataOutside[],
  facts: readonly AreaFacts[],
): readonly Finding[] {
  const refused = outside.flatMap(({ what, path, handling }) =>
    handling.kind === 'refuse' ? [{ text: `${what} in ${path}`, why: handling.why }] : [],
  );
  if (refused.length > 0) return [judgeRefused(target, refused)];
  if (outside.every(({ handling }) => handling.kind === 'watch'))
    return [{ level: 'ok', code: 'data-together', message: `All data of the server lies in ${target}.` }];
  return [...facts.map((each) => judgeArea(each, outside)), ...judgeRoom(facts), ...judgeStaying(target, outside)];
}

function judgeRefused(target: string, refused: readonly { text: string; why: string }[]): Finding {
  const reasons = [...new Set(refused.map(({ why }) => why))].map((why) => {
    const texts = refused.filter((each) => each.why === why).map(({ text }) => text);
    return `${shorten(texts)}: ${why}`;
  });
  return {
    level: 'error',
    code: 'data-outside',
    message: `Some of the server's data lies outside ${target} where it cannot be replaced: ${reasons.join('; ')}.`,
    nextStep:
      'Restore into a directory and put the data in its places by hand, or first bring this data of the server into its data directory.',
  };
}

function judgeArea({ directory, isThere, isWritable }: AreaFacts, outside: readonly DataOutside[]): Finding {
  const kinds = outside.filter(({ path, handling }) => path === directory && handling.kind === 'exchange');
  const what = [...new Set(kinds.map((each) => each.what))].join(' and ');
  if (!isThere) {
    return {
      level: 'error',
      code: 'outside-missing',
      message: `The server's ${what} belong into ${directory}, which cannot be found.`,
      nextStep: 'Mount or make that directory, or correct the setting of the server.',
    };
  }
  if (!isWritable) {
    return {
      level: 'error',
      code: 'outside-not-writable',
      message: `This process may not write to ${directory}, where the server's ${what} are.`,
      nextStep: 'Run the agent as root or as the user of the database server.',
    };
  }
  const isOnlyLogs = kinds.every(({ what: kind }) => begunAnew.includes(kind));
  const then = isOnlyLogs
    ? 'As they do not belong to the restored data, the server begins new ones.'
    : 'The restored ones go there.';
  return {
    level: 'ok',
    code: 'outside-exchanged',
    message: `The server's ${what} in ${directory} are set aside there and kept. ${then}`,
  };
}

const begunAnew: readonly DataOutside['what'][] = ['binary logs', 'relay logs', 'doublewrite files'];

/** Room for as much as is there now; the exact size is looked at before the server is stopped. */
function judgeRoom(facts: readonly AreaFacts[]): readonly Finding[] {
  const devices = new Set(facts.flatMap(({ device }) => (device === undefined ? [] : [device])));
  return [...devices].flatMap((device): Finding[] => {
    const there = facts.filter((each) => each.device === device);
    const needed = there.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    const free = there[0]?.freeBytes;
    const where = there.map(({ directory }) => directory).join(' and ');
    if (needed === 0 || free === undefined) return [];
    const figures = `About ${inGigabytes(needed)} GB are needed for ${where}, ${inGigabytes(free)} GB are free`;
    if (free >= needed) return [{ level: 'ok', code: 'outside-space', message: `${figures}.` }];
    const nextStep = 'Make room there, or move what the server keeps there to a larger file system first.';
    return [{ level: 'error', code: 'outside-space-missing', message: `${figures}.`, nextStep }];
  });
}

function judgeStaying(target: string, outside: readonly DataOutside[]): readonly Finding[] {
  const paths = outside.flatMap(({ path, handling }) => (handling.kind === 'stay' ? [path] : []));
  // The tool does not follow links to these.
  const aria = paths.filter((path) => /\.MA[DI]$/.test(path));
  const restored = paths.filter((path) => !aria.includes(path));
  const findings: Finding[] = [];
  if (restored.length > 0)
    findings.push({
      level: 'warning',
      code: 'links-replaced',
      message: `Databases and tables behind symbolic links are restored into ${target} itself. What the links lead to stays as it is, and belongs to the old data: ${shorten(restored)}.`,
      nextStep: `See that the file system of ${target} has room for them. Move and link them again afterwards if they shall lie elsewhere.`,
    });
  if (aria.length > 0)
    findings.push({
      // Whoever restores must say that they may be missing: nothing brings them back from a backup.
      level: 'error',
      code: 'aria-behind-links',
      message: `Aria tables behind symbolic links are in no backup, and would be missing. Their files stay with the old data: ${shorten(aria)}.`,
      nextStep: 'Save these tables by other means; then accept that they are missing.',
    });
  return findings;
}

function shorten(texts: readonly string[]): string {
  const more = texts.length > 10 ? ` and ${texts.length - 10} more` : '';
  return `${texts.slice(0, 10).join(', ')}${more}`;
}

async function deviceOf(directory: string): Promise<number | undefined> {
  return stat(directory).then(
    (found) => (found.isDirectory() ? found.dev : undefined),
    () => undefined,
  );
}

/** Binary logs are not restored. */
async function bytesIn({ directory, owned }: Area, tables: readonly string[]): Promise<number> {
  const restored = owned.filter(({ kind }) => ['undo', 'mysql-undo', 'tablespaces'].includes(kind));
  const names = (await namesIn(directory).catch(() => [])).filter((name) => owns(restored, name));
  let bytes = 0;
  for (const name of [...names, ...tables]) bytes += Number((await statIfThere(join(directory, name)))?.size ?? 0);
  return bytes;
}

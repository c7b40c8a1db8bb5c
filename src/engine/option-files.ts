import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { isSecret, withoutSecrets } from './secrets.ts';

/** Where Debian's, Red Hat's and the vendors' packages put them, in the order in which servers read them. */
const defaultFiles = ['/etc/my.cnf', '/etc/mysql/my.cnf', '/etc/mysql/mariadb.cnf', '/usr/etc/my.cnf'];
const maximumFiles = 200;
const maximumFileBytes = 256 * 1024;

export interface OptionFile {
  readonly path: string;
  /** Secrets replaced by `***`. */
  readonly text: string;
}

/** The files that a server started with these arguments reads, in that order. The servers take each option with `=` only. */
export function optionFilesNamed(args: readonly string[]): readonly string[] {
  const valuesOf = (name: string): string[] =>
    args.filter((arg) => arg.startsWith(`${name}=`)).map((arg) => arg.slice(name.length + 1));
  if (args.includes('--no-defaults')) return [];
  const only = valuesOf('--defaults-file');
  return [...(only.length > 0 ? only : defaultFiles), ...valuesOf('--defaults-extra-file')];
}

/**
 * The server's option files and what they include, for the record of a backup: a restored server needs them. Files that
 * cannot be read say so in their text; at most 200 files of 256 KiB are taken.
 */
export async function collectOptionFiles(options: {
  readonly files: readonly string[];
  readonly signal: AbortSignal;
}): Promise<readonly OptionFile[]> {
  const waiting = [...options.files];
  const seen = new Set<string>();
  const collected: OptionFile[] = [];
  for (let path = waiting.shift(); path !== undefined && collected.length < maximumFiles; path = waiting.shift()) {
    options.signal.throwIfAborted();
    if (seen.has(path)) continue;
    seen.add(path);
    const text = await readIfThere(path);
    if (text === undefined) continue;
    collected.push({ path, text: redactOptions(text) });
    waiting.unshift(...(await includes(text, dirname(path))));
  }
  return collected;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return '# not kept: no regular file\n';
    if (found.size > maximumFileBytes) return `# not kept: ${found.size} bytes\n`;
    const text = await readFile(path, 'utf8');
    return isOptionFile(text) ? text : '# not kept: not an option file\n';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : `# cannot be read: ${code}\n`;
  }
}

/**
 * Servers refuse a file that begins otherwise. Which file is read here may be up to the user of the server: that must not bring
 * a file which only root may read into the log of a backup.
 */
function isOptionFile(text: string): boolean {
  const first = text.split('\n').find((line) => !/^\s*([#;]|$)/.test(line));
  return first === undefined || /^\s*(\[|!include)/.test(first);
}

async function includes(text: string, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [, directive, target] of text.matchAll(/^\s*!(include|includedir)\s+(\S.*?)\s*$/gm)) {
    const path = isAbsolute(target ?? '') ? (target ?? '') : join(folder, target ?? '');
    if (directive === 'include') found.push(path);
    else found.push(...(await optionFilesIn(path)));
  }
  return found;
}

async function optionFilesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /\.(cnf|ini)$/.test(name))
      .toSorted()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Values of options that look like secrets become `***`, wherever they stand. */
export function redactOptions(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [, before = '', key = '', equals = '', value = ''] =
        /^([\s#;]*)([\w.-]+)(\s*=)\s*(.*?)\s*$/.exec(line) ?? [];
      return isSecret(key, value) ? `${before}${key}${equals} ***` : withoutSecrets(line);
    })
    .join('\n');
}

import { CorruptData } from '../lib/failure.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// Control characters have no place in a data directory and would garble logs; servers encode them as @00xx.
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u001f\u007f\\]/;

/**
 * A path of a stream as it may be used: relative to the data directory, in its shortest form (`./a//b` is `a/b`).
 * Throws CorruptData for names that lead elsewhere: absolute, with `..`, empty, with backslash or control characters.
 */
export function safePath(bytes: Uint8Array, at: number): string {
  const path = decode(bytes, at);
  if (path.startsWith('/')) throw forbiddenPath('it is absolute', path, at);
  if (forbidden.test(path)) throw forbiddenPath('it has forbidden characters', path, at);
  if (!path.includes('//') && !path.includes('.')) return path === '' ? rejectEmpty(at) : trimmed(path, at);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw forbiddenPath('it leaves the data directory', path, at);
  return parts.length === 0 || path.endsWith('/') ? rejectEmpty(at) : parts.join('/');
}

function decode(bytes: Uint8Array, at: number): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw badPath('is not UTF-8', at, cause);
  }
}

function trimmed(path: string, at: number): string {
  return path.endsWith('/') ? rejectEmpty(at) : path;
}

function rejectEmpty(at: number): never {
  throw badPath('is empty', at);
}

function forbiddenPath(why: string, path: string, at: number): CorruptData {
  return badPath(`is not allowed, ${why}: ${JSON.stringify(path)}`, at);
}

function badPath(what: string, at: number, cause?: unknown): CorruptData {
  return new CorruptData('xbstream-path', `Cannot decode the backup stream as a file name at byte ${at} ${what}`, {
    cause,
    nextStep:
      "Look for a file of such a name in the server's data directory: no server makes one. Move it away, or where there is none check the memory of this host, and run the backup again.",
  });
}

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
  if (path.startsWith('/')) throw badPath('it is absolute', path, at);
  if (forbidden.test(path)) throw badPath('it has forbidden characters', path, at);
  if (!path.includes('//') && !path.includes('.')) return path === '' ? rejectEmpty(at) : trimmed(path, at);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw badPath('it leaves the data directory', path, at);
  return parts.length === 0 || path.endsWith('/') ? rejectEmpty(at) : parts.join('/');
}

function decode(bytes: Uint8Array, at: number): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CorruptData(
      'xbstream-path',
      `Cannot decode the backup stream as a file name at byte ${at} is not UTF-8`,
      { cause },
    );
  }
}

function trimmed(path: string, at: number): string {
  return path.endsWith('/') ? rejectEmpty(at) : path;
}

function rejectEmpty(at: number): never {
  throw new CorruptData('xbstream-path', `Cannot decode the backup stream as a file name at byte ${at} is empty`);
}

function badPath(why: string, path: string, at: number): CorruptData {
  return new CorruptData(
    'xbstream-path',
    `Cannot decode the backup stream as a file name at byte ${at} is not allowed, ${why}: ${JSON.stringify(path)}`,
  );
}

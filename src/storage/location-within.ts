import { sep } from 'node:path';
import type { StorageLocation } from './location.ts';

/**
 * Does a location lie at or below another one? A bucket is that of its endpoint, so one of the same name elsewhere is another.
 * Symbolic links are for whoever opens a directory. Pure.
 */
export function isWithin(location: StorageLocation, base: StorageLocation): boolean {
  if (location.kind === 'directory') return base.kind === 'directory' && isBelow(location.path, base.path, sep);
  return (
    base.kind === 's3' &&
    location.bucket === base.bucket &&
    location.endpoint === base.endpoint &&
    isBelow(location.prefix, base.prefix, '/')
  );
}

function isBelow(path: string, base: string, separator: string): boolean {
  if (base === '' || path === base) return true;
  return path.startsWith(base.endsWith(separator) ? base : `${base}${separator}`);
}

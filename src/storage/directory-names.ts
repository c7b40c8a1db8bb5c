/** Puts files on their way in here; like every name with a leading dot it is no object. */
export const incomingFolder = '.incoming';

// A file system's own folder in the root of a disk, which only root may read.
const foreignFolder = 'lost+found';

/**
 * The path of a key below the root. Ordinary keys are their own path; `%`, a leading dot and `lost+found` are escaped, so no two
 * keys share a path, no key leaves the root, and names with a leading dot stay free for what is no object.
 */
export function pathOfKey(key: string): string {
  return key.split('/').map(nameOfSegment).join('/');
}

/** @returns undefined for a name that no key has: a temporary file, or something that a person put there. */
export function segmentOfName(name: string): string | undefined {
  if (name.startsWith('.') || name === foreignFolder) return undefined;
  if (!name.includes('%')) return name;
  const segment = name.replaceAll('%2E', '.').replaceAll('%2B', '+').replaceAll('%25', '%');
  return nameOfSegment(segment) === name ? segment : undefined;
}

function nameOfSegment(segment: string): string {
  const name = segment.replaceAll('%', '%25');
  if (name === foreignFolder) return name.replace('+', '%2B');
  return name.startsWith('.') ? `%2E${name.slice(1)}` : name;
}

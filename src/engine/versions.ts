/** The numbers of a version: `10.11.19-MariaDB-deb12` is [10, 11, 19]; what is missing is 0. */
export function versionNumbers(version: string): readonly [number, number, number] {
  const [, major, minor, patch] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}

/** `10.11` of `10.11.19-MariaDB`. */
export function seriesOf(version: string): string {
  const [major, minor] = versionNumbers(version);
  return `${major}.${minor}`;
}

/** Negative when `left` is the older one; only the three numbers count. */
export function compareVersions(left: string, right: string): number {
  const others = versionNumbers(right);
  for (const [index, number] of versionNumbers(left).entries()) {
    const difference = number - (others[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `major.minor` of a version such as `0.4.1-rc.1`; undefined for what is none. */
function seriesOf(version: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+/.exec(version) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** Do two programs of these versions understand each other? They may be one minor version apart. */
export function versionsFit(left: string, right: string): boolean {
  const [one, other] = [seriesOf(left), seriesOf(right)];
  if (one === undefined || other === undefined) return false;
  return one.major === other.major && Math.abs(one.minor - other.minor) <= 1;
}

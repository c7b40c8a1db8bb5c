/** How long ago, in one unit: `just now`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function formatAge(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

/** `2026-11-21 01:43 UTC` from ISO 8601. */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** `MariaDB 10.11.19` from vendor and what the server calls its version. */
export function formatServer({ vendor, serverVersion }: { vendor: string; serverVersion: string }): string {
  return `${vendor} ${/^\d+(\.\d+)*(-\d+(\.\d+)*)?/.exec(serverVersion)?.[0] ?? serverVersion}`;
}

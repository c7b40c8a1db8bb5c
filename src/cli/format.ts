const byteUnits = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Three figures and a decimal unit: `0 B`, `999 B`, `1.23 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 999.5) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit = '';
  for (unit of byteUnits) {
    value /= 1000;
    if (value < 999.5) break;
  }
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(decimals)} ${unit}`;
}

/** `0.4 s`, `12 s`, `3 min 4 s`, `2 h 5 min`, `3 d 1 h`. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

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

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** `MariaDB 10.11.19` from vendor and what the server calls its version. */
export function formatServer({ vendor, serverVersion }: { vendor: string; serverVersion: string }): string {
  return `${vendor} ${/^\d+(\.\d+)*(-\d+(\.\d+)*)?/.exec(serverVersion)?.[0] ?? serverVersion}`;
}

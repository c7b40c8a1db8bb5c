/** How figures stand in every text, in the terminal and on the pages. */

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

/** `1 file`, `12,345 files` */
export function plural(count: number, one: string, many = `${one}s`): string {
  // Loading the rules of languages takes a command 40 ms, and most counts need none.
  const shown = count < 1000 ? String(count) : count.toLocaleString('en-US');
  return `${shown} ${count === 1 ? one : many}`;
}

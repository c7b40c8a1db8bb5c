import { formatBytes } from '../../src/api/figures.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** Of whole seconds, as people set them: `30 s`, `5 min`, `1 h 30 min`. */
export function formatInterval(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const shown = parts.filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`);
  return shown.length === 0 ? '0 s' : shown.join(' ');
}

/** A time that is past or to come, seen from `now`: `just now`, `5 min ago`, `in 3 h`. */
export function formatAge(time: string | number, now: number): string {
  const ms = now - new Date(time).getTime();
  const much = roughly(Math.abs(ms));
  if (much === undefined) return ms < -minute / 2 ? 'in a moment' : 'just now';
  return ms < 0 ? `in ${much}` : `${much} ago`;
}

function roughly(ms: number): string | undefined {
  if (ms < minute) return undefined;
  if (ms < 2 * hour) return `${Math.floor(ms / minute)} min`;
  if (ms < 2 * day) return `${Math.floor(ms / hour)} h`;
  return `${Math.floor(ms / day)} d`;
}

/** `2026-11-21 01:43`, in the reader's own time zone. */
export function formatTime(time: string | number): string {
  const at = new Date(time);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** As formatTime, with seconds and the name of the time zone. */
export function formatExactTime(time: string | number): string {
  const at = new Date(time);
  const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName');
  return `${formatTime(time)}:${two(at.getSeconds())} ${zone?.value ?? ''}`.trim();
}

/** `10.11.19-MariaDB-deb12` is `10.11.19`. */
export function formatVersion(version: string): string {
  return version.replace(/-(mariadb|ubuntu|debian|log)\b.*$/i, '');
}

export function formatPercent(part: number, whole: number): string {
  if (whole <= 0) return '0 %';
  const percent = (100 * part) / whole;
  return percent > 0 && percent < 1 ? '< 1 %' : `${Math.floor(percent)} %`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

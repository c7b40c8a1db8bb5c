import { type Finding } from '../../components/findings.tsx';
import { ApiError } from '../../lib/api.ts';

/** What a test found, where an answer that refuses a location tells of it. */
export function findingsOf(error: Error): readonly Finding[] {
  if (!(error instanceof ApiError)) return [];
  const { details } = error;
  if (typeof details !== 'object' || details === null || !('findings' in details)) return [];
  return Array.isArray(details.findings) ? details.findings.filter(isFinding) : [];
}

function isFinding(value: unknown): value is Finding {
  return typeof value === 'object' && value !== null && 'level' in value && 'code' in value && 'message' in value;
}

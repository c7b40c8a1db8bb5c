import type { ErrorBody } from '../api/errors.ts';
import { Conflict, Failure, InvalidRequest, isPermanent } from '../lib/failure.ts';
import { TooManyFailures } from './failed-attempts.ts';
import { InvalidFields } from './invalid-fields.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
  readonly headers: Readonly<Record<string, string>>;
}

const statusByCode: Readonly<Record<string, number>> = {
  'not-authorised': 401,
  'not-allowed': 403,
  'cross-site': 403,
  'unknown-host': 421,
  'too-many-failures': 429,
  'no-such-job': 404,
  'no-such-route': 404,
  'no-such-backup': 404,
  'no-such-restore': 404,
  'no-such-drill': 404,
  'no-such-service': 404,
  'no-such-location': 404,
  'no-such-agent': 404,
  'no-such-token': 404,
};

/**
 * What a client is told of an error. Only failures have words of their own; of others nothing leaks.
 * @param detailsOf what a role tells of failures of its own
 */
export function answerFor(error: unknown, detailsOf: (error: Failure) => unknown = () => undefined): ErrorAnswer {
  if (!(error instanceof Failure)) return answerForServer(error);
  const { code, message, nextStep } = error;
  const details = detailsOf(error) ?? commonDetails(error);
  const next = nextStep === undefined ? {} : { nextStep };
  return {
    status: statusByCode[code] ?? statusOf(error),
    body: { error: { code, message, ...next, ...(details === undefined ? {} : { details }) } },
    headers: headersOf(error),
  };
}

function statusOf(error: Failure): number {
  if (error instanceof InvalidRequest) return 400;
  if (error instanceof Conflict) return 409;
  return isPermanent(error) ? 422 : 503;
}

function commonDetails(error: Failure): unknown {
  if (error instanceof InvalidFields) return { fields: error.fields };
  return error.evidence.length === 0 ? undefined : { evidence: error.evidence };
}

function headersOf(error: Failure): Record<string, string> {
  if (error instanceof TooManyFailures) return { 'retry-after': String(error.retryAfterSeconds) };
  return error.code === 'not-authorised' ? { 'www-authenticate': 'Bearer' } : {};
}

/** Errors of the HTTP server itself carry a status: body too large, not JSON, wrong media type. */
function answerForServer(error: unknown): ErrorAnswer {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const isClients = status >= 400 && status < 500;
  const message = isClients && error instanceof Error ? error.message : 'see its log';
  const code = status === 413 ? 'request-too-large' : isClients ? 'invalid-request' : 'unexpected';
  const headers = status === 413 ? { connection: 'close' } : {};
  return {
    status: isClients ? status : 500,
    body: { error: { code, message: `Cannot answer this request: ${message}` } },
    headers,
  };
}

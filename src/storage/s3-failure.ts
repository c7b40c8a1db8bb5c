import { Failure, PermanentFailure } from '../lib/failure.ts';
import { ObjectNotFound, StoreBusy } from './storage.ts';

/** What was being done, for the message. */
export interface S3Act {
  /** E.g. `store begun/b-1.json`. */
  readonly act: string;
  /** The object that was asked for, where it was one. */
  readonly key?: string;
  /** The location without secrets. */
  readonly where: string;
  /** The caller's. */
  readonly signal?: AbortSignal | undefined;
}

/** The parts of the SDK's errors that this adapter relies on. */
export interface S3Answer {
  /** S3's own code, e.g. `SlowDown`, or the name of a local error, e.g. `TimeoutError`. */
  readonly name: string;
  readonly message: string;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly region: string | undefined;
}

type Verdict = { readonly code: string; readonly why: string; readonly nextStep: string };

const missingBucket: Verdict = {
  code: 'storage-missing',
  why: 'the bucket is not there',
  nextStep: 'Create the bucket, or correct its name, the region and the endpoint of the storage location.',
};
const accessDenied: Verdict = {
  code: 'storage-access-denied',
  why: 'the store refuses it for these credentials',
  nextStep: 'Allow these credentials to get, put, list and delete objects of this bucket and prefix.',
};
const wrongCredentials: Verdict = {
  code: 'storage-credentials-wrong',
  why: 'the store does not accept the credentials',
  nextStep: 'Check the access key, the secret key and, for temporary credentials, the session token.',
};
const wrongRegion: Verdict = {
  code: 'storage-region-wrong',
  why: 'the bucket is in another region or at another endpoint',
  nextStep: 'Set the region of the bucket in the storage location.',
};
const wrongClock: Verdict = {
  code: 'storage-clock-wrong',
  why: "this machine's clock differs too much from the store's",
  nextStep: 'Set the clock of this machine, for example by turning on time synchronization.',
};
const noCredentials: Verdict = {
  code: 'storage-credentials-missing',
  why: 'no credentials were found',
  nextStep: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or give the machine a role.',
};
const wrongEndpoint: Verdict = {
  code: 'storage-endpoint-wrong',
  why: 'the endpoint does not answer as an S3 store',
  nextStep: 'Check the endpoint of the storage location: scheme, host name and port.',
};

const permanent: Readonly<Record<string, Verdict>> = {
  NoSuchBucket: missingBucket,
  InvalidBucketName: missingBucket,
  AccessDenied: accessDenied,
  AllAccessDisabled: accessDenied,
  AccountProblem: accessDenied,
  InvalidObjectState: accessDenied,
  InvalidAccessKeyId: wrongCredentials,
  SignatureDoesNotMatch: wrongCredentials,
  // Versity's gateway, to an unknown access key.
  XAdminUserNotFound: wrongCredentials,
  InvalidToken: wrongCredentials,
  ExpiredToken: wrongCredentials,
  PermanentRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  RequestTimeTooSkewed: wrongClock,
  CredentialsProviderError: noCredentials,
};

const byStatus: Readonly<Record<number, Verdict>> = {
  301: wrongRegion,
  307: wrongRegion,
  401: wrongCredentials,
  403: accessDenied,
  405: wrongEndpoint,
};

const busy: ReadonlySet<string> = new Set([
  'SlowDown',
  'ServiceUnavailable',
  'TooManyRequests',
  'Throttling',
  'ThrottlingException',
]);

/** Turns an error of the SDK into one that says what to do. Failures pass through; throws the reason of an aborted signal. */
export function s3Failure(error: unknown, act: S3Act): Error {
  act.signal?.throwIfAborted();
  if (error instanceof Failure) return error;
  const answer = readAnswer(error);
  if (isMissingKey(answer) && act.key !== undefined)
    return new ObjectNotFound(act.key, { cause: withoutFields(error), where: act.where });
  const verdict = permanent[answer.name] ?? byStatus[answer.status ?? 0];
  if (verdict !== undefined) return refusal(error, { answer, verdict, act });
  return transient(error, answer, act);
}

/** What an error of the SDK says, in one shape. */
export function readAnswer(error: unknown): S3Answer {
  const metadata = field(error, '$metadata');
  const response = field(error, '$response');
  const headers = field(response, 'headers');
  const status = field(metadata, 'httpStatusCode') ?? field(response, 'statusCode');
  return {
    name: text(field(error, 'Code')) ?? text(field(error, 'name')) ?? 'Error',
    message: text(field(error, 'message')) ?? String(error),
    status: typeof status === 'number' ? status : undefined,
    retryAfterMs: secondsToMs(text(field(headers, 'retry-after'))),
    region: text(field(headers, 'x-amz-bucket-region')) ?? text(field(error, 'Region')),
  };
}

/** Only by the store's own word: a 404 without it may come from anything that is not a store. */
function isMissingKey({ name }: S3Answer): boolean {
  return name === 'NoSuchKey';
}

function refusal(
  cause: unknown,
  { answer, verdict, act }: { answer: S3Answer; verdict: Verdict; act: S3Act },
): PermanentFailure {
  const region = answer.region === undefined ? '' : ` The store names the region ${answer.region}.`;
  return new PermanentFailure(verdict.code, `Cannot ${act.act} as ${verdict.why}: ${act.where}`, {
    cause: withoutFields(cause),
    nextStep: verdict.nextStep + region,
    evidence: evidenceOf(answer),
  });
}

function transient(error: unknown, answer: S3Answer, { act, where }: S3Act): Failure {
  const message = `Cannot ${act} as ${whyTransient(answer)}: ${where}`;
  const details = {
    cause: withoutFields(error),
    evidence: evidenceOf(answer),
    nextStep: 'Try again later; if it stays so, look at the network and at the state of the store.',
  };
  const isBusy = busy.has(answer.name) || answer.status === 429 || answer.retryAfterMs !== undefined;
  if (isBusy) return new StoreBusy(message, { ...details, retryAfterMs: answer.retryAfterMs ?? 0 });
  return new Failure('storage-failed', message, details);
}

function whyTransient({ name, status, message }: S3Answer): string {
  if (status !== undefined) return `the store answers ${status} ${name}`;
  return name === 'TimeoutError' || name === 'DeadlineExceeded'
    ? 'the store does not answer in time'
    : `the connection failed (${message})`;
}

/** A store's answer may repeat a session token in its fields, and causes are logged whole. */
function withoutFields(error: unknown): unknown {
  if (!(error instanceof Error) || field(error, '$metadata') === undefined) return error;
  const plain = new Error(error.message);
  plain.name = error.name;
  if (error.stack !== undefined) plain.stack = error.stack;
  return plain;
}

function evidenceOf({ name, message, status }: S3Answer): string[] {
  return [`${status === undefined ? 'no answer' : `HTTP ${status}`} ${name}: ${message}`.slice(0, 500)];
}

function secondsToMs(seconds: string | undefined): number | undefined {
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

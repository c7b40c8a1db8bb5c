import * as z from 'zod';
import { Conflict, Failure, type FailureDetails, InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import { errorBodySchema } from './errors.ts';
import type { Peer } from './transport.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly url: URL;
  /** Default `agent`. */
  readonly peer?: Peer;
}

/** The body of a success. @throws Failure `agent-answer-invalid`, `manager-answer-invalid` */
export function parseAnswer<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  { url, peer }: Pick<Answer, 'url' | 'peer'>,
): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join(', ');
  throw invalidAnswer({ url, peer }, what);
}

/** The failure that an answer tells of. */
export function failureOf({ status, text, url, peer }: Answer): Failure {
  const parsed = errorBodySchema.safeParse(parseJson(text));
  if (!parsed.success) return invalidAnswer({ url, peer }, `status ${status} without an error that can be read`);
  const { code, message, nextStep, details } = parsed.data.error;
  return new (classOf(status))(code, message, {
    evidence: fieldsOf(details),
    ...(nextStep === undefined ? {} : { nextStep }),
  });
}

const fieldsSchema = z.object({ fields: z.array(z.object({ path: z.string(), message: z.string() })) });

/** What was wrong with which field of a request, a line each. */
function fieldsOf(details: unknown): string[] {
  const parsed = fieldsSchema.safeParse(details);
  return (parsed.data?.fields ?? []).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
}

function classOf(status: number): new (code: string, message: string, details: FailureDetails) => Failure {
  if (status === 409) return Conflict;
  if (status === 401 || status === 403 || status === 422) return PermanentFailure;
  const isWorthRetrying = status >= 500 || status === 429 || status === 408;
  return isWorthRetrying ? Failure : InvalidRequest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalidAnswer({ url, peer = 'agent' }: { url: URL; peer: Peer | undefined }, what: string): Failure {
  return new Failure(
    `${peer}-answer-invalid`,
    `Cannot read the answer of ${url.origin} as it is not one of ${peer === 'agent' ? 'an agent' : 'a manager'}: ${what}`,
    { nextStep: `Check that the address is that of a Holdfast ${peer} and that its version fits this one.` },
  );
}

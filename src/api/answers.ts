import type { z } from 'zod';
import { Conflict, Failure, type FailureDetails, InvalidRequest, PermanentFailure } from '../lib/failure.ts';
import { errorBodySchema } from './errors.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly url: URL;
}

/** The body of a success. @throws Failure `agent-answer-invalid` */
export function parseAnswer<Schema extends z.ZodType>(schema: Schema, text: string, url: URL): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw invalidAnswer(url, parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join(', '));
}

/** The failure that an answer tells of. */
export function failureOf({ status, text, url }: Answer): Failure {
  const parsed = errorBodySchema.safeParse(parseJson(text));
  if (!parsed.success) return invalidAnswer(url, `status ${status} without an error that can be read`);
  const { code, message, nextStep } = parsed.data.error;
  return new (classOf(status))(code, message, nextStep === undefined ? {} : { nextStep });
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

function invalidAnswer(url: URL, what: string): Failure {
  return new Failure(
    'agent-answer-invalid',
    `Cannot read the answer of ${url.origin} as it is not one of an agent: ${what}`,
    {
      nextStep: 'Check that the address is that of a Holdfast agent and that its version fits this one.',
    },
  );
}

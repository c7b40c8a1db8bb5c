import type { JobFailure } from './jobs.ts';
import { Failure, failureClassOf, isPermanent } from '../lib/failure.ts';

const maximumCauses = 8;
const maximumEvidence = 60;
const maximumText = 4_000;

/** An error in words that cross the border. What is no Failure is a fault of the program and says so. */
export function describeFailure(error: unknown): JobFailure {
  const isKnown = error instanceof Failure;
  const nextStep = isKnown
    ? error.nextStep
    : 'See the log of the job and of the agent; please report this as a fault of Holdfast.';
  return {
    class: failureClassOf(error),
    code: isKnown ? error.code : 'unexpected',
    message: cut(isKnown ? error.message : `Cannot go on as something unexpected happened: ${messageOf(error)}`),
    ...(nextStep === undefined ? {} : { nextStep }),
    evidence: isKnown ? error.evidence.slice(-maximumEvidence).map((line) => cut(line)) : [],
    causes: [...causesOf(error)].slice(0, maximumCauses).map((cause) => cut(messageOf(cause))),
    isPermanent: isPermanent(error),
  };
}

function* causesOf(error: unknown): Generator<unknown> {
  const seen = new Set<unknown>();
  for (let cause = causeOf(error); cause !== undefined && !seen.has(cause); cause = causeOf(cause)) {
    seen.add(cause);
    if (cause instanceof AggregateError) yield* cause.errors;
    else yield cause;
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function cut(text: string): string {
  return text.length > maximumText ? `${text.slice(0, maximumText)}…` : text;
}

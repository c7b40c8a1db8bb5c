/** What every failure may carry besides its message; only the edges (CLI, HTTP, status) turn it into words. */
export interface FailureDetails {
  readonly cause?: unknown;
  /** What the person reading it should do, a whole sentence. */
  readonly nextStep?: string;
  /** The last lines of a tool, or what was found instead; never a secret. */
  readonly evidence?: readonly string[];
}

/** An error that a person will read. `code` is stable and part of the API; the message may change. */
export class Failure extends Error {
  override name = 'Failure';
  readonly code: string;
  readonly nextStep: string | undefined;
  readonly evidence: readonly string[];

  /** @param message `Cannot <do what> as <why>: <what is there now>`, without secrets. */
  constructor(code: string, message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.nextStep = details.nextStep;
    this.evidence = details.evidence ?? [];
  }
}

/** Trying the same again cannot help: wrong password, missing tool, missing bucket. */
export class PermanentFailure extends Failure {
  override name = 'PermanentFailure';
}

/** The caller asked for something that makes no sense; nothing was touched. */
export class InvalidRequest extends Failure {
  override name = 'InvalidRequest';
}

/** Something else is under way or already there. */
export class Conflict extends Failure {
  override name = 'Conflict';
}

/** Stored or streamed bytes are not what they must be: truncated, changed, or not of this format. */
export class CorruptData extends Failure {
  override name = 'CorruptData';
}

/** The same damage with what to do, where it does not say so itself: where it was found nobody may know what it was wanted for. */
export function withNextStep(error: unknown, nextStep: string): unknown {
  if (!(error instanceof CorruptData) || error.nextStep !== undefined) return error;
  const { code, message, cause, evidence } = error;
  return new CorruptData(code, message, { cause, evidence, nextStep });
}

/** A child program ended otherwise than it must. */
export class ToolFailed extends Failure {
  override name = 'ToolFailed';
}

/** The classes by name: what crosses a process border has the same class on the other side. */
export const failureClasses = { PermanentFailure, InvalidRequest, Conflict, CorruptData, ToolFailed, Failure } as const;
export type FailureClass = keyof typeof failureClasses;
export const failureClassNames = [
  'PermanentFailure',
  'InvalidRequest',
  'Conflict',
  'CorruptData',
  'ToolFailed',
  'Failure',
] as const satisfies readonly FailureClass[];

/** @returns `Failure` for an error that is none, too. */
export function failureClassOf(error: unknown): FailureClass {
  return failureClassNames.find((name) => error instanceof failureClasses[name]) ?? 'Failure';
}

/** Is it worth trying again later? Anything that is not known to be permanent is. */
export function isPermanent(error: unknown): boolean {
  return (
    error instanceof PermanentFailure ||
    error instanceof InvalidRequest ||
    error instanceof Conflict ||
    error instanceof CorruptData
  );
}

import { needsPerson } from '../core/needs-person.ts';
import { Failure } from '../lib/failure.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import type { Output } from './output.ts';
import { plainText } from './plain-text.ts';
import { Interrupted } from './signals.ts';

const shownEvidence = 20;

/** Whatever fails when the program is asked to end does so for that reason, but for what a person must see. */
export function toReport(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted && !needsPerson(error) ? signal.reason : error;
}

/** Says once what went wrong, why and what to do. @returns the exit code. */
export function reportError(error: unknown, output: Output): number {
  if (isReaderGone(error)) return EXIT.readerGone;
  const exitCode = error instanceof Interrupted ? error.exitCode : exitCodeOf(error);
  const causes = causesOf(error);
  if (output.isJson) {
    const { code, nextStep, evidence } =
      error instanceof Failure ? error : { code: 'internal', nextStep: undefined, evidence: [] };
    output.json({ type: 'error', exitCode, code, message: messageOf(error), nextStep, evidence, causes });
    return exitCode;
  }
  if (error instanceof Interrupted) output.stderr('Ended before it was done.');
  else output.stderr(...errorLines(error, { causes, isVerbose: output.isVerbose }));
  return exitCode;
}

/** Pure: the lines that a person reads. */
export function errorLines(
  error: unknown,
  { causes, isVerbose }: { readonly causes: readonly string[]; readonly isVerbose: boolean },
): string[] {
  const lines = [`Error: ${plainText(messageOf(error))}`];
  const message = messageOf(error);
  const shown = isVerbose ? causes : causes.filter((cause) => !message.includes(cause));
  lines.push(...shown.map((cause) => `  because: ${plainText(cause)}`));
  if (error instanceof Failure) {
    lines.push(...error.evidence.slice(-shownEvidence).map((line) => `  | ${plainText(line)}`));
    if (error.nextStep !== undefined) lines.push(`Next: ${plainText(error.nextStep)}`);
  }
  if (isVerbose && error instanceof Error && error.stack !== undefined) lines.push(...error.stack.split('\n').slice(1));
  return lines;
}

/** Messages of the errors behind it, the nearest first. */
export function causesOf(error: unknown): string[] {
  const found: string[] = [];
  const seen = new Set<unknown>([error]);
  let causes = nextOf(error);
  while (causes.length > 0) {
    const fresh = causes.filter((cause) => !seen.has(cause));
    for (const cause of fresh) seen.add(cause);
    found.push(...fresh.map((cause) => messageOf(cause)));
    causes = fresh.flatMap((cause) => nextOf(cause));
  }
  return [...new Set(found)];
}

function nextOf(error: unknown): readonly unknown[] {
  if (error instanceof AggregateError) return error.errors;
  return error instanceof Error && error.cause !== undefined ? [error.cause] : [];
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}

export function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

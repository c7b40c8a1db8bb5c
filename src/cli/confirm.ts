import { InvalidRequest } from '../lib/failure.ts';
import { ask, isTerminal } from './ask.ts';
import type { Context } from './context.ts';
import { Interrupted } from './signals.ts';

export interface Confirmation {
  /** What happens, whole sentences. */
  readonly about: readonly string[];
  /** What must be typed. */
  readonly word: string;
  /** `--yes` was given. */
  readonly isYes: boolean;
}

/** Asks on the terminal for a word to be typed. @throws InvalidRequest where nobody can be asked, or something else is typed. */
export async function confirm(
  { output, signal, options }: Context,
  { about, word, isYes }: Confirmation,
): Promise<void> {
  if (isYes) return;
  if (options.json || !isTerminal()) {
    throw new InvalidRequest('not-confirmed', 'Cannot do this without confirmation as there is no terminal to ask on', {
      evidence: about,
      nextStep: 'Add --yes if this is what you want.',
    });
  }
  output.stderr(...about);
  const typed = await ask(`Type ${word} to go on: `, { signal });
  if (typed?.trim() === word) return;
  if (typed === undefined) {
    output.stderr('');
    throw new Interrupted('SIGINT');
  }
  throw new InvalidRequest(
    'not-confirmed',
    `Cannot do this as it was not confirmed: something other than ${word} was typed`,
  );
}

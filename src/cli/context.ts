import type { Command } from 'commander';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type Environment, type GlobalOptions, globalOptionsSchema, readEnvironment } from './config.ts';
import { Output } from './output.ts';
import { Interruption } from './signals.ts';

/** What every command gets. */
export interface Context extends Disposable {
  readonly options: GlobalOptions;
  readonly environment: Environment;
  readonly output: Output;
  readonly interruption: Interruption;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface Invocation {
  readonly context: Context;
  /** Operands, in order. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Does the option stand on the command line, rather than in the environment? @param name as commander spells it */
  readonly isTyped: (name: string) => boolean;
}

/** A command: throws what went wrong. */
export type Handler = (invocation: Invocation) => Promise<void>;

export function createContext(command: Command): Context {
  const options = withoutOverruled(globalOptionsSchema.parse(command.optsWithGlobals()), command);
  const interruption = new Interruption((line) => output.stderr(line));
  const output = new Output({
    isJson: options.json,
    isQuiet: options.quiet,
    isVerbose: options.verbose,
    onReaderGone: (error) => interruption.interrupt(error),
  });
  return {
    options,
    environment: readEnvironment(),
    output,
    interruption,
    signal: interruption.signal,
    clock: systemClock,
    [Symbol.dispose]: () => interruption[Symbol.dispose](),
  };
}

/** A key that the command line names goes before one of the other kind that the environment names. */
function withoutOverruled(options: GlobalOptions, command: Command): GlobalOptions {
  const isTyped = (name: string): boolean => command.getOptionValueSourceWithGlobals(name) === 'cli';
  if (isTyped('keyFile') && !isTyped('passphraseFile')) return { ...options, passphraseFile: undefined };
  if (isTyped('passphraseFile') && !isTyped('keyFile')) return { ...options, keyFile: undefined };
  return options;
}

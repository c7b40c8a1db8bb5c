import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Command, CommanderError } from 'commander';
import { createContext, type Handler } from './context.ts';
import { EXIT } from './exit-code.ts';
import { createProgram } from './program.ts';
import { reportError, toReport } from './report-error.ts';

/** Runs one command line. @returns the exit code; everything that was to be said has been said. */
export async function main(argv: readonly string[]): Promise<number> {
  // Nobody is left to be told.
  process.stderr.on('error', () => undefined);
  let exitCode: number = EXIT.ok;
  // Help is written before any command, that would watch stdout, is begun.
  process.stdout.on('error', () => (exitCode = EXIT.readerGone));
  const program = createProgram(async (command, load) => {
    exitCode = await runCommand(command, load);
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) return EXIT.usage;
    await nextTurn();
  }
  return exitCode;
}

async function runCommand(command: Command, load: () => Promise<Handler>): Promise<number> {
  using context = createContext(command);
  try {
    const handler = await load();
    const isTyped = (name: string): boolean => command.getOptionValueSourceWithGlobals(name) === 'cli';
    // `backup list --service x`: an option that the command above knows as well is kept there.
    await handler({ context, args: command.args, options: command.optsWithGlobals(), isTyped });
    // A write that failed tells of it in a later turn.
    await nextTurn();
    context.interruption.throwIfUnexpected();
    return EXIT.ok;
  } catch (error) {
    return reportError(toReport(error, context.signal), context.output);
  }
}

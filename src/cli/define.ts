import { type Command, Option } from 'commander';
import type { Handler } from './context.ts';

/** Runs a command that commander has parsed; loads its code only now. */
export type Runner = (command: Command, load: () => Promise<Handler>) => Promise<void>;

export interface Definition {
  /** With its operands: `show <id>`. */
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  /** More, as paragraphs. */
  readonly description?: string;
  readonly options?: readonly Option[];
  /** Command lines that work as they are, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
  readonly load: () => Promise<Handler>;
}

export function define(parent: Command, definition: Definition, run: Runner): Command {
  const { usage, summary, description, options = [], examples, load } = definition;
  const command = parent
    .command(usage)
    .summary(summary)
    .description(description === undefined ? sentence(summary) : `${sentence(summary)}\n\n${description}`);
  for (const option of options) command.addOption(option);
  command.addHelpText('after', exampleText(examples));
  return command.action(() => run(command, load));
}

export function exampleText(examples: readonly (readonly [string, string])[]): string {
  return ['', 'Examples:', ...examples.flatMap(([line, meaning]) => [`  # ${meaning}`, `  ${line}`])].join('\n');
}

export function option(flags: string, description: string): Option {
  return new Option(flags, description);
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

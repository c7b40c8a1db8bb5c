import { type Command, Option } from 'commander';
import type { Handler } from './context.ts';
import { wholeNumber } from './parse-options.ts';

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
  runnable.add(command);
  return command.action(() => run(command, load));
}

export function exampleText(examples: readonly (readonly [string, string])[]): string {
  return ['', 'Examples:', ...examples.flatMap(([line, meaning]) => [`  # ${meaning}`, `  ${line}`])].join('\n');
}

export function option(flags: string, description: string): Option {
  return new Option(flags, description);
}

/** How an agent or a manager is talked to. */
export const connectionOptions: readonly Option[] = [
  option('--token-file <file>', "holds the agent's token, or an API token of the manager").env('HOLDFAST_TOKEN_FILE'),
  option('--fingerprint <sha256>', 'of its certificate, as it prints it when it starts').env('HOLDFAST_FINGERPRINT'),
  option('--ca-file <file>', 'certificate that vouches for its own, instead of --fingerprint').env('HOLDFAST_CA_FILE'),
];

/** Of commands that only a manager knows. */
export const managerOptions: readonly Option[] = [
  option('--manager <url>', 'which manager, such as https://holdfast.example.net:7440').env('HOLDFAST_URL'),
  ...connectionOptions,
].map((each) => each.helpGroup('Manager:'));

/** How the database server is reached. */
export const serverOptions: readonly Option[] = [
  option('--socket <path>', 'socket of the database server; without it and --host, the usual ones are tried'),
  option('--host <name>', 'host of the database server, for TCP'),
  option('--port <number>', 'its port').argParser(wholeNumber({ min: 1, max: 65_535 })),
  option('--user <name>', 'database user; default: the user who runs this'),
  option('--password-file <file>', 'holds the password of the database user'),
  option('--defaults-file <file>', 'an option file whose [client] section fills what is missing'),
].map((each) => each.helpGroup('Database server:'));

const runnable = new WeakSet<Command>();

/** Does it do something by itself, besides what commands below it do? */
export function isRunnable(command: Command): boolean {
  return runnable.has(command);
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

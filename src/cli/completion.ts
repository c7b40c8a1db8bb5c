import type { Command, Option } from 'commander';

export const completionShells = ['bash', 'zsh', 'fish'] as const;

/** What may stand behind one command. */
interface Node {
  /** Names from the first below the program on. */
  readonly path: readonly string[];
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly Option[];
  /** What its operands may be, where that is fixed. */
  readonly choices: readonly string[];
}

/** A script for the shell, made from the commands themselves. */
export function completionScript(program: Command, shell: string): string {
  const nodes = nodesOf(program, []);
  if (shell === 'fish') return fishScript(nodes);
  return shell === 'zsh' ? zshScript(nodes) : bashScript(nodes);
}

function nodesOf(command: Command, path: readonly string[]): Node[] {
  const node: Node = {
    path,
    subcommands: command.commands.map((each) => ({ name: each.name(), summary: each.summary() || each.description() })),
    options: [...command.options, ...(path.length === 0 ? [] : programOptions(command))],
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  };
  return [node, ...command.commands.flatMap((each) => nodesOf(each, [...path, each.name()]))];
}

function programOptions(command: Command): readonly Option[] {
  let top = command;
  while (top.parent) top = top.parent;
  return top.options.filter(({ long }) => long !== '--version');
}

function wordsOf({ subcommands, options, choices }: Node): string {
  return [...subcommands.map(({ name }) => name), ...choices, ...options.map(longOf), '--help'].join(' ');
}

function longOf(option: Option): string {
  return option.long ?? option.short ?? '';
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** Names of all options that a value follows, long and short. */
function valueOptions(nodes: readonly Node[]): string {
  const options = nodes.flatMap((node) => node.options.filter((option) => takesValue(option)));
  return [...new Set(options.flatMap(({ long, short }) => [long, short].filter((name) => name !== undefined)))].join(
    '|',
  );
}

/** Lines of a `case` that follow the words to the command that is meant. */
function pathCases(nodes: readonly Node[]): string[] {
  return nodes
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => `      "${path.slice(0, -1).join(' ')}:${path.at(-1)}") path="${path.join(' ')}" ;;`);
}

function bashScript(nodes: readonly Node[]): string {
  return `# bash completion for holdfast
_holdfast() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" index
  case "$previous" in
    ${valueOptions(nodes)}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index-1]}" in
      ${valueOptions(nodes)}) continue ;;
    esac
    case "$path:\${COMP_WORDS[index]}" in
${pathCases(nodes).join('\n')}
    esac
  done
  case "$path" in
${nodes.map((node) => `    "${node.path.join(' ')}") words="${wordsOf(node)}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _holdfast holdfast
`;
}

function zshScript(nodes: readonly Node[]): string {
  return `#compdef holdfast
_holdfast() {
  local current_path="" index
  local -a candidates
  case "\${words[CURRENT-1]}" in
    ${valueOptions(nodes)}) _files; return ;;
  esac
  for ((index = 2; index < CURRENT; index++)); do
    case "\${words[index-1]}" in
      ${valueOptions(nodes)}) continue ;;
    esac
    case "$current_path:\${words[index]}" in
${pathCases(nodes)
  .map((line) => line.replace('path=', 'current_path='))
  .join('\n')}
    esac
  done
  case "$current_path" in
${nodes.map((node) => `    "${node.path.join(' ')}") candidates=(${wordsOf(node)}) ;;`).join('\n')}
  esac
  compadd -- $candidates
}
# zsh loads this file as the function itself when it is first needed.
if [[ "\${funcstack[1]}" = _holdfast ]]; then _holdfast "$@"; else compdef _holdfast holdfast; fi
`;
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, subcommands, options, choices }) => {
    const condition = `-n '__holdfast_at "${path.join(' ')}"'`;
    return [
      ...subcommands.map(
        ({ name, summary }) => `complete -c holdfast -f ${condition} -a ${name} -d '${quoted(summary)}'`,
      ),
      ...choices.map((choice) => `complete -c holdfast -f ${condition} -a ${choice}`),
      ...options.map((option) => `complete -c holdfast ${condition} ${fishOption(option)}`),
    ];
  });
  return `# fish completion for holdfast
function __holdfast_at
  set -l path ""
  for word in (commandline -opc)[2..-1]
    switch "$path:$word"
${pathCases(nodes)
  .map((line) =>
    line.replace(
      /^ {6}(".*"\)) path=(".*") ;;$/,
      (_, name: string, path: string) => `      case ${name.slice(0, -1)}\n        set path ${path}`,
    ),
  )
  .join('\n')}
    end
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function fishOption(option: Option): string {
  const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
  return `-l ${longOf(option).slice(2)}${short}${takesValue(option) ? ' -r' : ''} -d '${quoted(option.description)}'`;
}

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}

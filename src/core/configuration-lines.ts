import type { ServerFacts } from '../engine/engine.ts';

/** What a restored server needs of its option files and variables, as lines for the log of the backup. */
export function configurationLines(
  optionFiles: readonly { readonly path: string; readonly text: string }[],
  { variables }: Pick<ServerFacts, 'variables'>,
): string[] {
  return [
    ...optionFiles.flatMap(({ path, text }) => [`holdfast: option file ${path}`, ...text.trimEnd().split('\n')]),
    ...Object.entries(variables).map(([name, value]) => `holdfast: variable ${name} = ${value}`),
  ];
}

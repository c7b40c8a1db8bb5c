import { createInterface } from 'node:readline/promises';

/** Asks on the terminal. @returns the line that was typed, or undefined when Ctrl-C or Ctrl-D was */
export async function ask(question: string, { signal }: { readonly signal: AbortSignal }): Promise<string | undefined> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const left = new Promise<undefined>((resolve) => {
    for (const event of ['SIGINT', 'close']) asking.once(event, () => resolve(undefined));
  });
  try {
    return await Promise.race([asking.question(question, { signal }), left]);
  } finally {
    asking.close();
  }
}

/** Is there somebody to ask? */
export function isTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

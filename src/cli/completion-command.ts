import { Argument, type Command } from 'commander';
import { completionShells } from './completion.ts';
import { define, type Runner } from './define.ts';

export function defineCompletion(program: Command, run: Runner): void {
  const command = define(
    program,
    {
      usage: 'completion',
      summary: 'print a script that completes commands and options in a shell',
      examples: [
        ['holdfast completion bash > /etc/bash_completion.d/holdfast', 'bash, for everyone'],
        ['holdfast completion zsh > "${fpath[1]}/_holdfast"', 'zsh'],
        ['holdfast completion fish > ~/.config/fish/completions/holdfast.fish', 'fish'],
      ],
      load: async () => {
        const { completionScript } = await import('./completion.ts');
        return async ({ args }) => {
          process.stdout.write(completionScript(program, args[0] ?? ''));
          return Promise.resolve();
        };
      },
    },
    run,
  );
  command.addArgument(new Argument('<shell>', 'which shell').choices(completionShells));
}

import type { Command } from 'commander';
import { define, type Definition, option, type Runner } from './define.ts';

const agent: Definition = {
  usage: 'agent',
  summary: 'run beside a database server and take orders over HTTPS',
  description:
    'What it may do is said by its own file, which no request can change. It prints its address, the fingerprint of its certificate and where its token is. Ctrl-C or SIGTERM end it.',
  options: [
    option('--config <file>', 'its own file, JSON; default /etc/holdfast/agent.json if it is there'),
    option('--log-level <level>', 'of the log on stderr, one JSON object on each line')
      .choices(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info'),
  ],
  examples: [['holdfast agent --config /etc/holdfast/agent.json', 'as a service would']],
  load: async () => (await import('./agent.ts')).agentCommand,
};

/** `holdfast agent`: the role itself, and what is done once on its host. */
export function defineAgent(program: Command, run: Runner): Command {
  return define(program, agent, run);
}

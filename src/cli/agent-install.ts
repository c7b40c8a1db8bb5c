import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { completeConfig, loadAgentConfig } from '../agent/config.ts';
import { install, planInstall, systemInstallHost } from '../agent/install.ts';
import type { Invocation } from './context.ts';

const optionsSchema = z.object({
  config: z.string().optional(),
  name: z.string().optional(),
  user: z.string(),
  print: z.boolean().default(false),
});

/** Makes the agent a service of this host. */
export async function installCommand({ context, options: raw }: Invocation): Promise<void> {
  const { output, signal } = context;
  const { config, name, user, print } = optionsSchema.parse(raw);
  const host = systemInstallHost(signal);
  const script = await realpath(process.argv[1] ?? '');
  const configFile = config === undefined ? undefined : resolve(config);
  const plan = await planInstall(
    { name, user, configFile, program: [process.execPath, script] },
    host,
    async (file, otherwise) => (file === undefined ? completeConfig(otherwise, 'new file') : loadAgentConfig(file)),
  );
  const { unit, unitFile, configFile: file, text } = plan;
  if (print) {
    output.json({ type: 'unit', unit, unitFile, configFile: file, text });
    output.text(...text.trimEnd().split('\n'));
    return;
  }
  await install(plan, user, host);
  output.json({ type: 'result', unit, unitFile, configFile: file });
  const asUser = user === 'root' ? 'sudo' : `sudo -u ${user}`;
  output.text(
    `Installed ${unitFile}. Next:`,
    `  1. Say in ${file} what it may do, and run this again when directories changed.`,
    `  2. Join a manager, if there is one: ${asUser} holdfast agent join --config ${file} -`,
    `  3. systemctl enable --now ${unit}`,
  );
}

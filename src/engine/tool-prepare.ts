import { runTool } from '../lib/run-tool.ts';
import { targetFull } from '../lib/target-full.ts';
import type { PrepareOptions } from './engine.ts';
import { judgeTool } from './failure-lines.ts';
import { withoutSecrets } from './secrets.ts';
import type { ToolCommand } from './tool-backup.ts';

/** Applying the redo log of a busy hour takes minutes, of a large one on a slow disk hours; beyond a day something hangs. */
const prepareLimitMs = 24 * 60 * 60 * 1000;

/** The tool tries to write to a full disk for ever, with all of a processor, and does not end when asked. */
const diskFull = /\bIO Error: (28|122) during write\b/;
const stuckGraceMs = 1_000;

/**
 * Runs a tool's `--prepare` on a directory. No option file is named, so the tool reads only the `backup-my.cnf` in the
 * directory: the settings that the files were made with.
 */
export async function prepareWithTool(
  tool: ToolCommand & { readonly name: string },
  directory: string,
  options: PrepareOptions,
): Promise<void> {
  const stuck = new AbortController();
  const memory = options.memoryBytes === undefined ? [] : [`--use-memory=${options.memoryBytes}`];
  await runTool({
    command: tool.command,
    args: ['--prepare', `--target-dir=${directory}`, ...memory],
    env: tool.env,
    signal: AbortSignal.any([options.signal, stuck.signal]),
    timeoutMs: prepareLimitMs,
    graceMs: stuckGraceMs,
    onStderrLine: (line) => {
      options.onLog(withoutSecrets(line));
      if (diskFull.test(line)) stuck.abort(targetFull(`prepare ${directory}`, { evidence: [withoutSecrets(line)] }));
    },
    judge: (ending) => judgeTool(ending, { what: `prepare ${directory}`, tool: tool.name }),
  });
}

import { Tool, type Ending, type ToolOptions } from './process.ts';

/** What a short-lived program printed, and how it ended. */
export interface ToolResult extends Ending {
  readonly stdout: string;
}

/** Output that a program such as `xtrabackup --version` may print before it is cut. */
const maximumOutput = 1024 * 1024;

/** Runs a program to its end within `timeoutMs` (default 30,000) and keeps what it prints, up to 1 MiB. */
export async function runTool(options: ToolOptions & { readonly timeoutMs?: number }): Promise<ToolResult> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? 30_000)]);
  await using tool = new Tool({ ...options, signal });
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of tool.output()) {
    if (size < maximumOutput) parts.push(part);
    size += part.length;
  }
  const ending = await tool.succeeded();
  return { ...ending, stdout: Buffer.concat(parts).toString('utf8') };
}

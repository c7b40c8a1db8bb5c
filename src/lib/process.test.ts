import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure, ToolFailed } from './failure.ts';
import { type Ending, Tool, type ToolOptions } from './process.ts';
import { SocketPair } from './socket-pair.ts';
import { runTool } from './run-tool.ts';

function judge(ending: Ending): Error | undefined {
  if (ending.exitCode === 0) return undefined;
  return new ToolFailed('tool-failed', `exit ${ending.exitCode} ${ending.signal}`, { evidence: ending.lastLines });
}

/** A small program of this Node as a tool. */
function script(code: string, options: Partial<ToolOptions> = {}): ToolOptions {
  return {
    command: process.execPath,
    args: ['-e', code],
    env: {},
    signal: new AbortController().signal,
    judge,
    ...options,
  };
}

async function drain(tool: Tool): Promise<number> {
  let bytes = 0;
  for await (const part of tool.output()) bytes += part.length;
  return bytes;
}

async function isGone(pid: number | undefined): Promise<boolean> {
  for (let tries = 0; tries < 40; tries += 1) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (state === '' || /\) Z /.test(state)) return true;
    await sleep(25);
  }
  return false;
}

describe('a tool', () => {
  it('gives all of its output and ends when it ended well', async () => {
    await expect(drain(new Tool(script('process.stdout.write(Buffer.alloc(3e6))')))).resolves.toBe(3_000_000);
  });

  it('gives all of its output through a socket pair, byte for byte', async () => {
    const code = 'for (let i = 0; i < 300; i++) require("fs").writeSync(1, Buffer.alloc(65537, i))';
    const tool = new Tool(script(code, { stdout: await SocketPair.create() }));
    const hash = createHash('sha256');
    for await (const part of tool.output()) {
      await sleep(Math.random() < 0.05 ? 5 : 0);
      hash.update(part);
    }
    const expected = createHash('sha256');
    for (let index = 0; index < 300; index += 1) expected.update(Buffer.alloc(65_537, index));
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
  });

  it('fails through a socket pair as it does without', async () => {
    const code = 'require("fs").writeSync(1, "abc"); process.exit(7)';
    const tool = new Tool(script(code, { stdout: await SocketPair.create() }));
    await expect(drain(tool)).rejects.toThrow('exit 7');
    const missing = new Tool(script('', { command: '/nonexistent/tool', stdout: await SocketPair.create() }));
    await expect(drain(missing)).rejects.toMatchObject({ code: 'tool-missing' });
    const left = new Tool(
      script('setInterval(() => process.stdout.write("x"), 1)', { stdout: await SocketPair.create() }),
    );
    for await (const part of left.output()) if (part.length > 0) break;
    expect(await isGone(left.pid)).toBe(true);
  });

  it('fails after a whole output when its exit code is not 0, with its last lines', async () => {
    const tool = new Tool(
      script('process.stdout.write(Buffer.alloc(3e6), () => { console.error("first\\nlast"); process.exit(7) })'),
    );
    await expect(drain(tool)).rejects.toMatchObject({ message: 'exit 7 null', evidence: ['first', 'last'] });
  });

  it('inherits no environment', async () => {
    const { stdout } = await runTool(
      script('process.stdout.write(JSON.stringify(process.env))', { env: { ONLY: 'this' } }),
    );
    expect(JSON.parse(stdout)).toEqual({ ONLY: 'this' });
  });

  it('is not there: says so, for good', async () => {
    const tool = new Tool(script('', { command: '/nonexistent/xtrabackup' }));
    await expect(drain(tool)).rejects.toMatchObject({ name: 'PermanentFailure', code: 'tool-missing' });
  });

  it('is killed with its children when the signal aborts, though it ignores SIGTERM', async () => {
    const controller = new AbortController();
    const grandchild =
      'require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {stdio: "inherit"})';
    const code = `process.on("SIGTERM", () => {}); const c = ${grandchild}; process.stdout.write(String(c.pid)); setInterval(() => {}, 1000)`;
    const tool = new Tool(script(code, { signal: controller.signal, graceMs: 100 }));
    let child = 0;
    const reading = (async () => {
      for await (const part of tool.output()) {
        child = Number(Buffer.from(part).toString());
        controller.abort(new Failure('cancelled', 'cancelled by the test'));
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    expect(child).toBeGreaterThan(0);
    expect(await isGone(tool.pid)).toBe(true);
    expect(await isGone(child)).toBe(true);
  });

  it('is killed when its reader leaves early', async () => {
    const tool = new Tool(script('setInterval(() => process.stdout.write(Buffer.alloc(1000)), 1)'));
    for await (const part of tool.output()) if (part.length > 0) break;
    expect(await isGone(tool.pid)).toBe(true);
  });

  it('ends with the given failure at once, though nobody reads', async () => {
    const tool = new Tool(script('setInterval(() => process.stdout.write(Buffer.alloc(1e6)), 1)'));
    const output = tool.output();
    await output.next();
    tool.fail(new Failure('stalled', 'nobody reads'));
    expect(await isGone(tool.pid)).toBe(true);
    await expect(output.next()).rejects.toMatchObject({ code: 'stalled' });
  });

  it('cannot fill the memory with a line, nor block on stderr', async () => {
    const lines: number[] = [];
    const code = 'process.stderr.write("x".repeat(1e6) + "\\nend\\n")';
    await drain(new Tool(script(code, { onStderrLine: (line) => lines.push(line.length) })));
    expect(lines).toEqual([64 * 1024, 3]);
  });

  it('does not wait for a helper that keeps its output open', async () => {
    const code =
      'require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], {stdio: "inherit", detached: false}).unref(); process.stdout.write("done", () => process.exit(0))';
    await expect(drain(new Tool(script(code)))).resolves.toBe(4);
  });

  it('does not start when cancelled before', () => {
    expect(() => new Tool(script('', { signal: AbortSignal.abort(new Failure('cancelled', 'before')) }))).toThrow(
      'before',
    );
  });

  it('runs no longer than its time limit', async () => {
    await expect(runTool({ ...script('setInterval(() => {}, 1000)'), timeoutMs: 300 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

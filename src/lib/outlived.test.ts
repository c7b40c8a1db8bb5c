import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';

/** A process that runs a tool which ignores every wish to end and never writes, with a helper of its own. */
function parentOfTool(): ChildProcess {
  const tool = `trap '' TERM INT HUP PIPE; sleep 61 & echo ready; wait; sleep 61`;
  const code = `
    import { Tool } from ${JSON.stringify(new URL('process.ts', import.meta.url).href)};
    const tool = new Tool({
      command: '/bin/sh', args: ['-c', ${JSON.stringify(tool)}], env: { PATH: '/usr/bin:/bin' },
      signal: new AbortController().signal, judge: () => undefined,
    });
    for await (const part of tool.output()) process.stdout.write(String(tool.pid) + '\\n');`;
  return spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function groupMembers(group: number): Promise<string[]> {
  const members: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [state, , pgid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(pgid) === group && state !== 'Z') members.push(pid);
  }
  return members;
}

it('a tool and its helpers die with the process that runs them, though it was killed', async () => {
  const parent = parentOfTool();
  const [printed] = await once(parent.stdout ?? parent, 'data');
  const group = Number(String(printed));
  expect((await groupMembers(group)).length).toBeGreaterThanOrEqual(3);
  parent.kill('SIGKILL');
  const deadline = performance.now() + 5_000;
  while ((await groupMembers(group)).length > 0 && performance.now() < deadline) await sleep(10);
  expect(await groupMembers(group)).toEqual([]);
});

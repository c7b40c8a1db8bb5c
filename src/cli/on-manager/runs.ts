import * as z from 'zod';
import { formatBytes, plural } from '../../api/figures.ts';
import { confirm } from '../confirm.ts';
import type { Context, Handler } from '../context.ts';
import { formatFacts, formatTable } from '../table.ts';
import { reportBackupRun } from './backup.ts';
import { factsOf, runColumns, runRow } from './describe.ts';
import { reportDrillRun } from './drill.ts';
import { followRun } from './follow.ts';
import { onManager, type OnManager } from './open.ts';
import { reportRestoreRun } from './restore.ts';
import { runKinds, type RunKindWord, type RunResource } from './run-kinds.ts';

const listSchema = z.object({
  state: z.string().optional(),
  service: z.string().optional(),
  location: z.string().optional(),
  backup: z.string().optional(),
  proof: z.string().optional(),
  search: z.string().optional(),
  sort: z.string().optional(),
  page: z.number().optional(),
  pageSize: z.number().optional(),
});

export function listRuns(kind: RunKindWord): Handler {
  return onManager(async ({ invocation, context, client, signal }) => {
    const { output, clock } = context;
    const query = listSchema.parse(invocation.options);
    const { items, total, page, pageSize } = await client.call(runKinds[kind].list, { query, signal });
    for (const each of items) output.json({ type: kind, ...each });
    if (items.length === 0) output.text(total === 0 ? `No ${kind} is there.` : `Page ${page} is behind the last one.`);
    else
      output.text(
        ...formatTable(
          runColumns[kind],
          items.map((each) => runRow(each, clock.now())),
        ),
      );
    const first = (page - 1) * pageSize;
    if (total > items.length && items.length > 0)
      output.remark('', `${first + 1} to ${first + items.length} of ${plural(total, kind)}; more with --page.`);
  });
}

export function showRun(kind: RunKindWord): Handler {
  return onManager(async (on) => {
    const { invocation, context, client, name, signal } = on;
    const run = await client.call(runKinds[kind].get, { params: { name }, signal });
    context.output.json({ type: 'result', ...run });
    context.output.text(...formatFacts(factsOf(run, context.clock.now())));
    if (invocation.options['log'] === true) await showLog(on, kind);
  });
}

async function showLog({ context, client, name, signal }: OnManager, kind: RunKindWord): Promise<void> {
  const { output } = context;
  output.text('', 'Log');
  for await (const { text } of client.log(runKinds[kind].log, name, { signal, isOver: async () => true })) {
    output.json({ type: 'log', line: text });
    output.text(`  ${text}`);
  }
}

const reports = { backup: reportBackupRun, restore: reportRestoreRun, drill: reportDrillRun } as const;

/** Shows how far it is until it ends, and then how it ended. */
export function followCommand(kind: RunKindWord): Handler {
  return onManager(async ({ context, client, name }) => {
    reports[kind](context, await followRun(context, { client, kind, name }));
  });
}

export function cancelRun(kind: RunKindWord): Handler {
  return onManager(async ({ context, client, name, signal }) => {
    const run = await client.call(runKinds[kind].cancel, { params: { name }, signal });
    say(context, run, `The ${kind} ${name} was asked to end.`);
  });
}

export const retryBackup = onManager(async ({ context, client, name, signal }) => {
  const run = await client.call('retryBackup', { params: { name }, signal });
  say(context, run, `Backup ${name} is tried once more: holdfast backup follow ${name}`);
});

export function pinBackup(isPinned: boolean): Handler {
  return onManager(async ({ context, client, name, signal }) => {
    const run = await client.call(isPinned ? 'pinBackup' : 'unpinBackup', { params: { name }, signal });
    say(context, run, isPinned ? `Backup ${name} is pinned: nothing deletes it.` : `Backup ${name} is not pinned.`);
  });
}

export const deleteBackup = onManager(async ({ invocation, context, client, name, signal }) => {
  const { freedBytes, keptBytes, usedBy, afterHours } = await client.call('previewDelete', {
    params: { name },
    signal,
  });
  const shared = usedBy.length === 0 ? '' : `; ${formatBytes(keptBytes)} stay, as ${usedBy.join(', ')} need them`;
  const about = [`Deleting backup ${name} frees ${formatBytes(freedBytes)} after ${afterHours} hours${shared}.`];
  await confirm(context, { about, word: name, isYes: invocation.options['yes'] === true });
  const run = await client.call('deleteBackup', { params: { name }, query: { confirm: name }, signal });
  say(context, run, `Backup ${name} is being deleted. ${about.join('')}`);
});

function say({ output }: Context, run: RunResource, text: string): void {
  output.json({ type: 'result', ...run });
  output.text(text);
}

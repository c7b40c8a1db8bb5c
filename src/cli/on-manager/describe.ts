import { msOf } from '../../lib/clock.ts';
import { formatBytes, formatDuration } from '../../api/figures.ts';
import { formatAge, formatServer, formatTime } from '../format.ts';
import type { Column } from '../table.ts';
import type { BackupResource, DrillResource, RestoreResource, RunKindWord, RunResource } from './run-kinds.ts';

/** How resources of a manager are told of in a terminal. */

type Facts = [string, string][];

export const runColumns: Readonly<Record<RunKindWord, readonly Column[]>> = {
  backup: [
    { title: 'NAME' },
    { title: 'STATE' },
    { title: 'SERVICE' },
    { title: 'LOCATION' },
    { title: 'CREATED' },
    { title: 'TOOK', align: 'right' },
    { title: 'LOGICAL', align: 'right' },
    { title: 'STORED', align: 'right' },
    { title: 'KNOWN' },
  ],
  restore: ['NAME', 'STATE', 'BACKUP', 'AGENT', 'TARGET', 'CREATED', 'TOOK'].map((title) => ({ title })),
  drill: ['NAME', 'STATE', 'BACKUP', 'AGENT', 'DEPTH', 'CREATED', 'TOOK'].map((title) => ({ title })),
};

export function runRow(run: RunResource, nowMs: number): string[] {
  const created = formatTime(run.createdAt);
  if (run.kind === 'Backup') {
    const { result } = run.status;
    const sizes = result ? [formatBytes(result.logicalBytes), formatBytes(result.storedBytes)] : ['', ''];
    const { service, location } = run.spec;
    return [run.name, run.status.state, service, location, created, took(run), ...sizes, known(run, nowMs)];
  }
  const { backup, agent } = run.spec;
  const middle = run.kind === 'Restore' ? targetOf(run) : run.spec.depth;
  return [run.name, run.status.state, backup, agent, middle, created, took(run)];
}

/** All that is known of one. */
export function factsOf(run: RunResource, nowMs: number): Facts {
  const facts: Facts = [
    ['Name', run.name],
    ['State', run.status.state],
    ...(run.kind === 'Backup' ? backupFacts(run, nowMs) : otherFacts(run)),
    ['Created', formatTime(run.createdAt)],
    ['Took', took(run)],
    ['Attempts', attemptsOf(run)],
    ['Waits for', run.status.waitingFor.join(' ')],
    ['Failure', run.status.failure?.message ?? ''],
    ['Next step', run.status.failure?.nextStep ?? ''],
  ];
  return facts.filter(([, value]) => value !== '');
}

function backupFacts(run: BackupResource, nowMs: number): Facts {
  const { spec, status } = run;
  const { result } = status;
  const plan: Facts = [
    ['Service', spec.service],
    ['Location', spec.folder === undefined ? spec.location : `${spec.location}, folder ${spec.folder}`],
    ['Id', status.id],
    ['Description', spec.description],
    ['Known', known(run, nowMs)],
  ];
  if (!result) return plan;
  return [
    ...plan,
    ['Server', formatServer(result.source)],
    ['Engine', result.source.engine],
    ['Logical', formatBytes(result.logicalBytes)],
    ['Stored', formatBytes(result.storedBytes)],
    ['Compared with', result.parent ?? 'nothing: the first backup of this data directory'],
    ['Binary log', result.binlog === undefined ? '' : `${result.binlog.file}, position ${result.binlog.position}`],
    ['GTID', result.gtid],
    ['LSN', result.toLsn],
  ];
}

function otherFacts(run: RestoreResource | DrillResource): Facts {
  const { backup, agent } = run.spec;
  const steps = run.status.result?.steps ?? [];
  const own: Facts =
    run.kind === 'Restore'
      ? [
          ['Target', targetOf(run)],
          ['Identity', run.spec.identity],
          ['Replication', run.spec.replication],
          ['Kept aside', keptBy(run).join(', ')],
        ]
      : [
          ['Depth', run.spec.depth],
          ['Tables', run.status.result === undefined ? '' : `${run.status.result.tables} checked`],
        ];
  const times = steps.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(', ');
  return [['Backup', backup], ['Agent', agent], ...own, ['Steps', times]];
}

/** Where the old data is, if there was any. */
function keptBy({ status: { result } }: RestoreResource): string[] {
  return result === undefined ? [] : [...(result.old === undefined ? [] : [result.old]), ...result.oldElsewhere];
}

function targetOf({ spec, status }: RestoreResource): string {
  if ('directory' in spec.target) return spec.target.directory;
  return status.result === undefined ? `service ${spec.target.service}` : status.result.target;
}

function known({ status, spec }: BackupResource, nowMs: number): string {
  const words = [
    ...(status.proof === undefined ? [] : [`${status.proof.level} ${formatAge(nowMs - msOf(status.proof.at))}`]),
    ...(spec.isPinned ? ['pinned'] : []),
  ];
  return words.join(', ');
}

function took({ status }: RunResource): string {
  const { startedAt, endedAt } = status;
  return startedAt === undefined || endedAt === undefined ? '' : formatDuration(msOf(endedAt) - msOf(startedAt));
}

function attemptsOf({ status }: RunResource): string {
  const failed = status.attempts.flatMap(({ number, failure }) => (failure ? [`${number}: ${failure.message}`] : []));
  return failed.length === 0 ? '' : failed.join('; ');
}

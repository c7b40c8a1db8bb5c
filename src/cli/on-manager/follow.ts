import type { ManagerClient } from '../../api/manager-client.ts';
import type { Context } from '../context.ts';
import { follow, progressState } from '../follow.ts';
import { formatTime } from '../format.ts';
import type { ProgressState } from '../progress.ts';
import { runKinds, type RunKindWord, type RunResource } from './run-kinds.ts';

interface FollowedRun {
  readonly client: ManagerClient;
  readonly kind: RunKindWord;
  readonly name: string;
}

const pollMs = 500;
/** Between two attempts there is much time. */
const going = new Set(['Pending', 'Starting', 'Running', 'Waiting']);

/** Shows a run of a manager until it ends. @returns the run, which succeeded. @throws what it failed with */
export async function followRun(context: Context, followed: FollowedRun): Promise<RunResource> {
  const { client, kind, name } = followed;
  const { cancel, log } = runKinds[kind];
  const ended = await follow(context, {
    kind,
    id: name,
    peer: 'manager',
    watch: (options) => watch(context, followed, options.signal),
    log: ({ signal }) => client.log(log, name, { signal, isOver: async () => !isGoing(await read(followed, signal)) }),
    cancel: ({ signal }) => client.call(cancel, { params: { name }, signal }),
    progressOf: ({ resource }) => progressOf(resource),
  });
  return ended.resource;
}

async function* watch(context: Context, followed: FollowedRun, signal: AbortSignal) {
  for (;;) {
    const resource = await read(followed, signal);
    yield { state: stateOf(resource), failure: resource.status.failure, resource };
    if (!isGoing(resource)) return;
    await context.clock.sleep(pollMs, { signal });
  }
}

async function read({ client, kind, name }: FollowedRun, signal: AbortSignal): Promise<RunResource> {
  return client.call(runKinds[kind].get, { params: { name }, signal });
}

function isGoing({ status }: RunResource): boolean {
  return going.has(status.state);
}

/** What becomes of a good backup later is no failure of it. */
function stateOf({ status }: RunResource): string {
  return ['Deleting', 'Deleted', 'DeleteFailed'].includes(status.state) ? 'Succeeded' : status.state;
}

function progressOf({ status }: RunResource): ProgressState {
  const [waitingFor] = status.waitingFor;
  if (waitingFor !== undefined) return { step: `waiting: ${waitingFor}` };
  if (status.state === 'Waiting' && status.nextAttemptAt !== undefined)
    return { step: `attempt ${status.attempt + 1} begins at ${formatTime(status.nextAttemptAt)}` };
  return status.progress === undefined ? { step: status.state.toLowerCase() } : progressState(status.progress);
}

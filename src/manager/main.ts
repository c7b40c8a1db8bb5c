import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { startControl } from '../control/control.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { Failure, PermanentFailure } from '../lib/failure.ts';
import { EventHub } from '../server/event-hub.ts';
import { Lists } from '../server/lists/lists.ts';
import { mountManager } from '../server/manager-server.ts';
import type { JoinToken, JoinTokenWish } from '../server/routes/route-context.ts';
import { createServer } from '../server/server.ts';
import { WebFiles } from '../server/web-files.ts';
import { joinAddress, originRules, urlOf } from './addresses.ts';
import { Agents } from './agents/agents.ts';
import type { ManagerConfig } from './config.ts';
import { type ManagerState, openState } from './state.ts';
import { systemStores } from './stores.ts';

export interface ManagerOptions {
  /** Of this program. */
  readonly version: string;
  /** Of the log on stderr, one JSON object per line. Default `info`. */
  readonly logLevel?: string;
  readonly clock?: Clock;
  /** The build of the web UI. Default: the one that comes with the program. */
  readonly webDirectory?: string;
  /** For the head of a request, and then for all of it. */
  readonly requestLimitMs?: number;
  /** Replaces the control loops, for tests. */
  readonly startControl?: typeof startControl;
}

/** A running manager. What runs on agents goes on when it is disposed of, and is found again. */
export interface Manager extends AsyncDisposable {
  /** `https://address:port`, or `http://` where it can be reached from this host alone. */
  readonly url: string;
  /** SHA-256 of its certificate; undefined without TLS. */
  readonly fingerprint: string | undefined;
  /** Holds the password of `admin`, until someone changes that. */
  readonly initialPasswordFile: string | undefined;
  makeJoinToken(wish: JoinTokenWish): Promise<JoinToken>;
}

/**
 * Starts a manager: the composition root, the only place that knows which adapters are used.
 * @throws what `openState` throws; PermanentFailure `manager-not-listening`
 */
export async function startManager(config: ManagerConfig, options: ManagerOptions): Promise<Manager> {
  const { clock = systemClock } = options;
  await using stack = new AsyncDisposableStack();
  const state = stack.use(await openState(config, { clock }));
  const initialPasswordFile = await state.people.ensureFirstUser();
  const ending = new AbortController();
  const { signal } = ending;
  const created = createServer({
    people: state.people,
    tls: state.certificate,
    origins: originRules(config),
    trustedProxies: config.trustedProxies,
    logLevel: options.logLevel ?? 'info',
    signal,
    ...(options.requestLimitMs === undefined ? {} : { requestLimitMs: options.requestLimitMs }),
  });
  const { server } = created;
  const works = stack.use(await startWorks(config, { ...options, clock, state, server }));
  const makeJoinToken = async (wish: JoinTokenWish): Promise<JoinToken> => {
    const address = joinAddress(config, { url: addressOf(server, { config, state }), certificate: state.certificate });
    const made = await works.agents.joinTokens.create({ ...wish, ...address });
    return { ...made, command: 'holdfast agent join -' };
  };
  const web = await WebFiles.read(options.webDirectory ?? builtWeb());
  works.agents.mount(server);
  const lastSeenAt = (name: string): string | undefined => works.agents.lastSeenAt(name);
  mountManager(created, {
    ...state,
    ...works,
    clock,
    version: options.version,
    makeJoinToken,
    lastSeenAt,
    web,
    signal,
  });
  stack.defer(async () => server.close());
  stack.defer(() => ending.abort(new Failure('manager-stopped', 'Cannot go on as the manager ends')));
  await listen(server, config);
  const [url, fingerprint] = [addressOf(server, { config, state }), state.certificate?.fingerprint];
  server.log.info({ url, fingerprint }, 'The manager is ready');
  const owned = stack.move();
  const dispose = async (): Promise<void> => owned.disposeAsync();
  return { url, fingerprint, initialPasswordFile, makeJoinToken, [Symbol.asyncDispose]: dispose };
}

interface WorksOptions extends ManagerOptions {
  readonly clock: Clock;
  readonly state: ManagerState;
  readonly server: FastifyInstance;
}

/** What goes on whether or not anyone asks: agents are heard, wishes come true, lists follow. */
async function startWorks(config: ManagerConfig, { clock, version, state, server, ...options }: WorksOptions) {
  const { catalog, secrets } = state;
  const onTrouble = (message: string, error?: unknown): void => server.log.warn({ err: error }, message);
  await using stack = new AsyncDisposableStack();
  const agents = stack.use(await Agents.open({ catalog, secrets, clock, version, onTrouble }));
  const start = options.startControl ?? startControl;
  const lostAfterMs = config.lostAfterSeconds * 1_000;
  const { launcher } = agents;
  const control = stack.use(
    await start({ catalog, secrets, launcher, stores: systemStores, clock, onTrouble, lostAfterMs }),
  );
  const hub = new EventHub({ clock });
  stack.use(control.progress.subscribe((event) => hub.tell({ type: 'progress', ...event })));
  const lists = stack.use(
    new Lists({
      catalog,
      clock,
      onChange: ({ kind, name, resource }) =>
        hub.tell({ type: 'change', kind, name, ...(resource === undefined ? {} : { version: resource.version }) }),
      onResync: () => hub.tell({ type: 'resync' }),
      onTrouble,
    }),
  );
  const owned = stack.move();
  return { agents, control, hub, lists, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

async function listen(server: FastifyInstance, { listen: { address, port } }: ManagerConfig): Promise<void> {
  try {
    await server.listen({ host: address, port });
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new PermanentFailure(
      'manager-not-listening',
      `Cannot listen on ${address}:${port} as the system refused: ${why}`,
      { cause, nextStep: "Stop what uses that port, or change `listen` in the manager's file." },
    );
  }
}

function addressOf(
  server: FastifyInstance,
  { config, state }: { readonly config: ManagerConfig; readonly state: ManagerState },
): string {
  const bound = server.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.listen.port;
  return urlOf({ listen: config.listen, port }, { isTls: state.certificate !== undefined });
}

/** Beside the program, or where the build puts it. */
function builtWeb(): string | undefined {
  const places = ['./web', '../../dist/web'].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return places.find((place) => existsSync(`${place}/index.html`));
}

import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { run } from '../../scripts/setup/run.ts';
import { TunnelKeeper } from '../../src/agent/tunnel-keeper.ts';
import { EnrolClient } from '../../src/api/enrol-client.ts';
import { type AgentReport, type EnrolRequest, parseJoinToken } from '../../src/api/enrol.ts';
import { ManagerClient, type ManagerClientOptions } from '../../src/api/manager-client.ts';
import { programVersion } from '../../src/cli/version.ts';
import { isoTime, systemClock } from '../../src/lib/clock.ts';
import { mapConcurrently } from '../../src/lib/concurrently.ts';
import { selfSigned } from '../../src/server/self-signed.ts';
import { type Child, freePort, startChild, waitUntil } from '../support/child.ts';

/**
 * What a manager costs that has nothing to do: `node tests/bench/idle.ts [agents] [seconds] [--dial-out]`. Agents joined over
 * TLS, answer over HTTPS, or with `--dial-out` on the connections that they keep open, and send their heartbeats; this process
 * speaks for all of them. Exits 1 above 2 % of a core or 200 MB.
 */

const { values, positionals } = parseArgs({ options: { 'dial-out': { type: 'boolean' } }, allowPositionals: true });
const isDialOut = values['dial-out'] === true;
const [agents = 1_000, seconds = 180] = positionals.map(Number);
const program = process.env['HOLDFAST_PROGRAM'] ?? 'src/cli.ts';
const heartbeatMs = 50_000;
/** After a heartbeat that failed. */
const againMs = 5_000;
const settleMs = 60_000;
const limits = { percent: 2, megabytes: 200 };
const version = programVersion();
const ticksPerSecond = Number(await run('getconf', ['CLK_TCK']));
let asked = 0;
let beats = 0;
let opened = 0;
let isOver = false;
const signal = new AbortController().signal;
const directory = await mkdtemp(join(tmpdir(), 'hf-idle-'));
async function measure(): Promise<number> {
  const url = await writeConfig();
  const fingerprint = new X509Certificate(await readFile(join(directory, 'cert.pem'))).fingerprint256;
  const own = isDialOut ? startDialling() : await startListening();
  const place = { url, trust: { fingerprint } };
  const first = await startManager(url);
  console.log(`${agents} agents join`);
  const numbers = Array.from({ length: agents }, (_, index) => index + 1);
  await using admin = await signedIn(place);
  await mapConcurrently(numbers, 4, async (number) => void beat(await joined(admin.client, number, own)));
  // What joining took is not what idling takes.
  await first.end('SIGTERM');
  const child = await startManager(url);
  await sleep(settleMs);
  if (isDialOut) await askAll(place, numbers);
  await using again = await signedIn(place);
  const { total } = await again.client.call('listAgents', { query: { state: 'Connected' }, signal });
  const { total: online } = await again.client.call('listServices', { query: { state: 'Online' }, signal });
  console.log(`${total} agents are connected, ${online} services are online; measuring for ${seconds} s`);
  const before = { cpu: cpuSeconds(child.pid), at: performance.now(), beats, asked, opened };
  await sleep(seconds * 1_000);
  const percent = ((cpuSeconds(child.pid) - before.cpu) / ((performance.now() - before.at) / 1_000)) * 100;
  const { now, peak } = memoryOf(child.pid);
  console.log(
    `${percent.toFixed(2)} % of a core, ${now.toFixed(0)} MB (at most ${peak.toFixed(0)} MB); ${beats - before.beats} heartbeats, ${asked - before.asked} calls to agents`,
  );
  if (isDialOut)
    console.log(
      `${own.tunnels()} connections of agents that dial out, ${opened - before.opened} of them opened meanwhile`,
    );
  isOver = true;
  await child.end('SIGTERM');
  return total === agents && percent <= limits.percent && now <= limits.megabytes ? 0 : 1;
}

async function startManager(url: string): Promise<Child> {
  const config = ['--config', join(directory, 'manager.json'), '--log-level', 'warn'];
  const child = startChild(process.execPath, [program, 'manager', ...config]);
  await waitUntil(async () => child.printed().includes(url), { child, what: 'a manager' });
  return child;
}

async function signedIn(place: ManagerClientOptions) {
  const client = new ManagerClient(place);
  const password = (await readFile(join(directory, 'state/initial-password'), 'utf8')).trim();
  await client.signIn({ name: 'admin', password, signal });
  return { client, [Symbol.asyncDispose]: async () => client[Symbol.dispose]() };
}

/** As the manager does within half an hour: a connection that was used is kept beside the one that waits. */
async function askAll(place: ManagerClientOptions, numbers: readonly number[]): Promise<void> {
  await using admin = await signedIn(place);
  await mapConcurrently(numbers, 4, async (number) => {
    await admin.client.call('testService', { params: { name: `db${number}` }, signal });
  });
  await sleep(settleMs / 2);
}

async function writeConfig(): Promise<string> {
  const port = await freePort();
  const made = await selfSigned(['localhost', '127.0.0.1'], { commonName: 'Holdfast manager', clock: systemClock });
  const [certificateFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  await writeFile(certificateFile, made.certificate);
  await writeFile(keyFile, made.key, { mode: 0o600 });
  const config = { listen: { port }, stateDirectory: join(directory, 'state'), tls: { certificateFile, keyFile } };
  await writeFile(join(directory, 'manager.json'), JSON.stringify(config), { mode: 0o600 });
  return `https://127.0.0.1:${port}`;
}

/** Answers for every agent. */
interface AgentServer {
  readonly connection: (agentToken: string) => EnrolRequest['connection'];
  /** Where the manager shall ask, once the agent has joined. */
  readonly keepTunnels: (client: EnrolClient) => void;
  readonly tunnels: () => number;
}

async function startListening(): Promise<AgentServer> {
  const made = await selfSigned(['127.0.0.1'], { commonName: 'Holdfast agent', clock: systemClock });
  const server = createServer({ cert: made.certificate, key: made.key, keepAliveTimeout: 75_000 }, answer);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const bound = server.address();
  const { port }: Pick<AddressInfo, 'port'> = typeof bound === 'object' && bound !== null ? bound : { port: 0 };
  const place = { url: `https://127.0.0.1:${port}`, fingerprint: new X509Certificate(made.certificate).fingerprint256 };
  return {
    connection: (agentToken) => ({ type: 'listens', ...place, agentToken }),
    keepTunnels: () => undefined,
    tunnels: () => 0,
  };
}

/** As the agent does it. */
function startDialling(): AgentServer {
  const keepers = new Map<Socket, TunnelKeeper>();
  const noLimits = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 };
  const server = createPlain(noLimits, (request, response) => {
    keepers.get(request.socket)?.used(request.socket);
    answer(request, response);
  });
  const keepTunnels = (client: EnrolClient): void => {
    const keeper = new TunnelKeeper({
      open: async (options) => {
        const socket = await client.openTunnel(options);
        if (socket instanceof Socket) return socket;
        throw new TypeError('a connection that is no socket');
      },
      serve: (socket) => {
        opened += 1;
        keepers.set(socket, keeper);
        socket.once('close', () => keepers.delete(socket));
        server.emit('connection', socket);
      },
      clock: systemClock,
      onTrouble: () => undefined,
    });
  };
  return { connection: (agentToken) => ({ type: 'dials', agentToken }), keepTunnels, tunnels: () => keepers.size };
}

const answers: Readonly<Record<string, unknown>> = {
  '/v1/agent': { version, startedAt: isoTime(systemClock.now()) },
  '/v1/jobs': { jobs: [] },
};

function answer(request: IncomingMessage, response: ServerResponse): void {
  asked += 1;
  const found = answers[request.url ?? ''];
  response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found ?? { error: { code: 'no-such-route', message: 'Cannot' } }));
}

async function joined(admin: ManagerClient, number: number, own: AgentServer) {
  const { token } = await admin.call('createJoinToken', { body: { validSeconds: 600 }, signal });
  const { url, fingerprint, secret } = parseJoinToken(token);
  const name = `db${number}`;
  using joining = new EnrolClient({ url, fingerprint });
  const { credential } = await joining.enrol(
    {
      token: secret,
      name,
      hostname: `${name}.example.net`,
      version,
      connection: own.connection(randomBytes(24).toString('base64url')),
      hasDatabase: true,
      nonce: randomBytes(24).toString('base64url'),
    },
    { signal },
  );
  const client = new EnrolClient({ url, fingerprint, credential });
  own.keepTunnels(client);
  return { name, client };
}

/** As an agent does: the report when it is asked for. */
async function beat({ name, client }: { readonly name: string; readonly client: EnrolClient }): Promise<void> {
  const hostname = `${name}.example.net`;
  for (let wantsReport = true; ;) {
    try {
      const report = wantsReport ? { report: reportOf(name) } : {};
      ({ wantsReport } = await client.heartbeat({ version, hostname, ...report }, { signal }));
      beats += 1;
    } catch {
      // The manager starts again, or has ended.
      if (isOver) return;
      await sleep(againMs * spread(), undefined, { ref: false });
      continue;
    }
    await sleep(wantsReport ? 1_000 : heartbeatMs * spread(), undefined, { ref: false });
  }
}

function spread(): number {
  return 0.9 + 0.2 * Math.random();
}

function reportOf(name: string): AgentReport {
  return {
    server: {
      isUp: true,
      vendor: 'MySQL',
      version: '8.4.6',
      identity: `server of ${name}`,
      lineage: `lineage of ${name}`,
      dataDirectory: '/var/lib/mysql',
      dataBytes: 1e11,
    },
    engines: [{ name: 'xtrabackup', version: '8.4.0-4', isChosen: true }],
    restoreDirectories: ['/var/lib/restores'],
    mayRestoreInPlace: false,
    locations: [],
    managedLocations: ['*'],
  };
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Megabytes. */
function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

try {
  process.exitCode = await measure();
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}
process.exit();

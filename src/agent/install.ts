import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, systemFiles } from '../core/placement-files.ts';
import { InvalidRequest, PermanentFailure, ToolFailed } from '../lib/failure.ts';
import { runHostCommand } from '../lib/host-command.ts';
import type { AgentConfig } from './config.ts';
import { systemdUnit, unitName } from './systemd-unit.ts';

export interface InstallWish {
  /** Of the agent, where a host has several. */
  readonly name: string | undefined;
  readonly user: string;
  /** Of the agent's own file; undefined: the usual place. */
  readonly configFile: string | undefined;
  /** Node and the program. */
  readonly program: readonly [string, ...string[]];
}

/** Where things are on a host, for tests to replace. */
export interface InstallHost {
  readonly configDirectory: string;
  readonly stateParent: string;
  readonly unitDirectory: string;
  readonly isRoot: boolean;
  readonly run: (argv: readonly [string, ...string[]]) => Promise<void>;
  /** Undefined where there is no such user. */
  readonly findUser: (name: string) => Promise<{ uid: number; gid: number } | undefined>;
}

export interface Installed {
  readonly unit: string;
  readonly unitFile: string;
  readonly configFile: string;
  readonly text: string;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$/;
const userPattern = /^[a-z_][a-z0-9_-]{0,31}$/;

export interface PlannedInstall extends Installed {
  readonly stateDirectory: string;
  /** Of the agent's own file, where there is none yet. */
  readonly newConfig: string | undefined;
}

/**
 * What installing would write; changes nothing.
 * @param readConfig the agent's file, or what stands for one that is not there
 * @throws InvalidRequest `install-name-invalid`
 */
export async function planInstall(
  wish: InstallWish,
  host: InstallHost,
  readConfig: (file: string | undefined, otherwise: unknown) => Promise<AgentConfig>,
): Promise<PlannedInstall> {
  const { name, user, program } = wish;
  if (name !== undefined && !namePattern.test(name))
    throw invalid('name', 'letters, digits, dots and hyphens, at most 50');
  if (!userPattern.test(user)) throw invalid('user', 'the name of a user of this system');
  const suffix = name === undefined ? '' : `-${name}`;
  const configFile = wish.configFile ?? join(host.configDirectory, `agent${suffix}.json`);
  const isNew = !(await isThere(configFile));
  // Several agents cannot listen on one port; where a manager dials nobody needs to know it.
  const listen = name === undefined ? {} : { listen: { port: 0 } };
  const fresh = { stateDirectory: join(host.stateParent, `holdfast${suffix}`), ...listen };
  const config = await readConfig(isNew ? undefined : configFile, fresh);
  const unit = unitName(name);
  const command = [...program, 'agent', '--config', configFile] as const;
  return {
    unit,
    unitFile: join(host.unitDirectory, `${unit}.service`),
    configFile,
    stateDirectory: config.stateDirectory,
    newConfig: isNew ? `${JSON.stringify(fresh, undefined, 2)}\n` : undefined,
    text: systemdUnit({ name, user, command: [command[0], ...command.slice(1)], config }),
  };
}

/**
 * Makes the agent a service of systemd, which is neither enabled nor started yet. Doing it again brings the unit up to date.
 * @throws PermanentFailure `install-needs-root`; ToolFailed `install-command-failed`
 */
export async function install(plan: PlannedInstall, user: string, host: InstallHost): Promise<void> {
  if (!host.isRoot) {
    throw new PermanentFailure('install-needs-root', 'Cannot install the agent as that takes root', {
      nextStep: 'Run it with sudo, or with --print to see what would be written.',
    });
  }
  const owner = await ensureUser(user, plan.stateDirectory, host);
  if (plan.newConfig !== undefined) {
    await mkdir(host.configDirectory, { recursive: true, mode: 0o755 });
    // Only root changes what an agent may do; the agent itself reads it.
    await writeFile(plan.configFile, plan.newConfig, { mode: 0o644, flag: 'wx' });
  }
  await mkdir(plan.stateDirectory, { recursive: true, mode: 0o711 });
  await chown(plan.stateDirectory, owner.uid, owner.gid);
  if ((await readFile(plan.unitFile, 'utf8').catch(() => '')) !== plan.text)
    await systemFiles.writeDurably(plan.unitFile, plan.text);
  await host.run(['/usr/bin/systemctl', 'daemon-reload']);
}

async function ensureUser(user: string, home: string, host: InstallHost): Promise<{ uid: number; gid: number }> {
  const found = await host.findUser(user);
  if (found !== undefined) return found;
  await host.run([
    '/usr/sbin/useradd',
    '--system',
    '--user-group',
    '--home-dir',
    home,
    '--shell',
    '/usr/sbin/nologin',
    user,
  ]);
  const made = await host.findUser(user);
  if (made !== undefined) return made;
  throw new PermanentFailure('install-user-missing', `Cannot install the agent as its user is not there: ${user}`, {
    nextStep: 'Create that user, or name another one with --user.',
  });
}

const commandLimitMs = 60_000;

/** The host that this runs on. */
export function systemInstallHost(signal: AbortSignal): InstallHost {
  return {
    configDirectory: '/etc/holdfast',
    stateParent: '/var/lib',
    unitDirectory: '/etc/systemd/system',
    isRoot: process.geteuid?.() === 0,
    run: async (argv) => {
      const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
      const { exitCode, lastLines } = await runHostCommand(argv, { env, limitMs: commandLimitMs, signal });
      if (exitCode === 0) return;
      throw new ToolFailed(
        'install-command-failed',
        `Cannot install the agent as a command failed: ${argv.join(' ')}`,
        {
          evidence: lastLines,
          nextStep: 'Run that command by hand and see why it fails.',
        },
      );
    },
    findUser: async (name) => {
      const text = await readFile('/etc/passwd', 'utf8');
      const line = text.split('\n').find((each) => each.startsWith(`${name}:`));
      const [, , uid, gid] = line?.split(':') ?? [];
      return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
    },
  };
}

function invalid(what: string, wanted: string): InvalidRequest {
  return new InvalidRequest(
    'install-name-invalid',
    `Cannot install the agent as its ${what} is not one that can be used: it must be ${wanted}`,
  );
}

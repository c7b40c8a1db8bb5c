import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

interface Source {
  readonly uri: string;
  readonly suite: string;
  readonly component: string;
}

export interface Distribution {
  readonly id: string;
  readonly codename: string;
}

/** Which Debian or Ubuntu release this system is, from /etc/os-release. */
export async function thisDistribution(): Promise<Distribution> {
  const text = await readFile('/etc/os-release', 'utf8');
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), codename: field('VERSION_CODENAME') };
}

/**
 * Unpacks packages of a release (`bookworm`, `sid`, …) with the libraries they need below `root`, without installing
 * anything: a private apt with its own lists reads the mirror that this system's own sources name.
 *
 * @param wanted packages whose dependencies are followed
 * @param alone packages unpacked without their dependencies
 * @param unneeded dependencies to leave out
 */
export async function unpackPackages(options: {
  readonly release: string;
  readonly wanted: readonly string[];
  readonly alone: readonly string[];
  readonly unneeded: RegExp;
  readonly root: string;
}): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'holdfast-apt-'));
  try {
    const apt = await privateApt(work, options.release);
    const plan = await run('apt-get', [...apt, 'install', '-s', '--no-install-recommends', ...options.wanted]);
    const closure = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
    const packages = closure.filter((name) => !options.unneeded.test(name));
    const debs = join(work, 'debs');
    await mkdir(debs);
    await run('apt-get', [...apt, 'download', '-q', ...packages, ...options.alone], { cwd: debs });
    for (const deb of await readdir(debs)) {
      await run('dpkg', ['-x', join(debs, deb), options.root]);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Sets up an apt below `work` that knows only `release` and an empty system; returns the arguments that select it. */
async function privateApt(work: string, release: string): Promise<string[]> {
  const sources = await sourcesOf(release);
  const { id } = await thisDistribution();
  await mkdir(join(work, 'sources'));
  await mkdir(join(work, 'state/lists/partial'), { recursive: true });
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
  await writeFile(join(work, 'status'), '');
  await writeFile(join(work, 'sources/release.sources'), sources.map((source) => stanza(source, id)).join('\n'));
  const configuration = join(work, 'apt.conf');
  await writeFile(configuration, aptConfiguration(work));
  const apt = ['-c', configuration];
  await run('apt-get', [...apt, 'update', '-q']);
  return apt;
}

function stanza(source: Source, id: string): string {
  return [
    'Types: deb',
    `URIs: ${source.uri}`,
    `Suites: ${source.suite}`,
    `Components: ${source.component}`,
    `Signed-By: /usr/share/keyrings/${id}-archive-keyring.gpg`,
    '',
  ].join('\n');
}

/** This system's own sources of its release; for another release, the first of them with that release's name. */
async function sourcesOf(release: string): Promise<Source[]> {
  const { codename } = await thisDistribution();
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)';
  const lines = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const own: Source[] = [];
  for (const line of lines.split('\n')) {
    const [uri, suite, component] = line.split('|');
    if (uri && component && (suite === codename || suite?.startsWith(`${codename}-`))) {
      own.push({ uri, suite, component });
    }
  }
  const main = own.find((source) => source.suite === codename && source.component === 'main');
  if (!main) {
    throw new Error(`Cannot fetch packages as apt has no source for ${codename}: see /etc/apt/sources.list.d`);
  }
  return release === codename ? own : [{ ...main, suite: release }];
}

/** Read after the system's own configuration, so a proxy that is set there stays in force. */
function aptConfiguration(work: string): string {
  return [
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    `Dir::State "${work}/state";`,
    `Dir::State::lists "${work}/state/lists";`,
    `Dir::State::status "${work}/status";`,
    `Dir::Cache "${work}/cache";`,
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts "${work}/sources";`,
    // The lists lie in a directory of this user's, which apt's own unprivileged user may not enter.
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
    // A mirror that lags behind is good enough for tests; signatures are still checked.
    'Acquire::Check-Valid-Until "false";',
    '',
  ].join('\n');
}

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../setup/run.ts';

/** Complaints about what `npm pack` would publish: the bundle and the papers, and nothing else. */
export async function packComplaints(): Promise<string[]> {
  const expected =
    /^(package\.json|README\.md|LICENSE|dist\/THIRD_PARTY_NOTICES|dist\/[\w.-]+\.js(\.map)?|dist\/web\/(assets\/)?[\w.-]+)$/;
  const needed = [
    'package.json',
    'README.md',
    'LICENSE',
    'dist/THIRD_PARTY_NOTICES',
    'dist/cli.js',
    'dist/web/index.html',
  ];
  const files = packedFiles(JSON.parse(await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'])));
  return [
    ...files.filter((file) => !expected.test(file)).map((file) => `npm pack would publish ${file}`),
    ...needed.filter((file) => !files.includes(file)).map((file) => `npm pack would lack ${file}`),
  ];
}

/** npm answers with a list of packages, npm 12 with an object of them by name. */
function packedFiles(answer: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(answer, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string') {
      found.push(value.path);
    }
    return value;
  });
  return found;
}

/** Complaints about the packed program when it runs where nothing is installed beside it. */
export async function packedProgramComplaints(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-pack-'));
  try {
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
    const [archive = ''] = await readdir(folder);
    await run('tar', ['-xzf', join(folder, archive), '-C', folder]);
    const help = await run(process.execPath, [join(folder, 'package/dist/cli.js'), '--help'], { cwd: folder });
    return help.trim() === '' ? ['The packed program prints nothing for --help.'] : [];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

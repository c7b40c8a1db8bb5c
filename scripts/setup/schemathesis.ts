import { join } from 'node:path';
import { cached } from './cache.ts';
import { installSystemPackages, run, say, succeeds } from './run.ts';

const VERSION = '4.32.5';
const INTERPRETER = '/usr/bin/python3';

/** Schemathesis, which drives an HTTP API by its OpenAPI document; returns the Python to run it with. */
export async function ensureSchemathesis(): Promise<string> {
  const folder = await cached(`schemathesis-${VERSION}`, async (into) => {
    say(`Installing schemathesis ${VERSION}`);
    if (!(await succeeds(INTERPRETER, ['-c', 'import ensurepip']))) await installSystemPackages(['python3-venv']);
    await run(INTERPRETER, ['-m', 'venv', into]);
    await run(join(into, 'bin/python'), ['-m', 'pip', 'install', '--quiet', `schemathesis==${VERSION}`]);
  });
  return join(folder, 'bin/python');
}

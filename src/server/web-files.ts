import { type FileHandle, open, readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';

interface WebFile {
  readonly path: string;
  readonly type: string;
  /** Its path, by the name that stands in `Content-Encoding`. */
  readonly compressed: ReadonlyMap<'br' | 'gzip', string>;
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const encodings = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;
/** The build puts what has a digest in its name here. */
const hashedPrefix = '/assets/';
const yearSeconds = 31_536_000;

/** The files of the web UI that were there when the manager started; nothing else in the directory can be reached. */
export class WebFiles {
  readonly #files: ReadonlyMap<string, WebFile>;

  private constructor(files: ReadonlyMap<string, WebFile>) {
    this.#files = files;
  }

  /** @param directory of the build; undefined, or none there: no UI */
  static async read(directory: string | undefined): Promise<WebFiles> {
    if (directory === undefined) return new WebFiles(new Map());
    const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
    const paths = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const files = new Map<string, WebFile>();
    for (const path of paths.filter((each) => !encodings.some(({ suffix }) => each.endsWith(suffix))))
      files.set(`/${relative(directory, path).split(sep).join('/')}`, describe(path, new Set(paths)));
    return new WebFiles(files);
  }

  /**
   * The file, or the page that finds out in the browser what its address means.
   * @returns false where there is none, or none any more. Not the reply: who awaits that waits until all was sent.
   */
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const path = request.url.replace(/[?#].*$/s, '');
    const isPage = !path.startsWith(hashedPrefix) && extname(path) === '';
    const file = this.#files.get(path) ?? (isPage ? this.#files.get('/index.html') : undefined);
    return file !== undefined && send(file, { request, reply, isHashed: path.startsWith(hashedPrefix) });
  }
}

function describe(path: string, all: ReadonlySet<string>): WebFile {
  const there = encodings.filter(({ suffix }) => all.has(path + suffix));
  const compressed = new Map(there.map(({ name, suffix }) => [name, path + suffix]));
  return { path, type: types[extname(path)] ?? 'application/octet-stream', compressed };
}

interface Sending {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly isHashed: boolean;
}

async function send(file: WebFile, { request, reply, isHashed }: Sending): Promise<boolean> {
  const accepted = request.headers['accept-encoding'];
  const encoding = encodings.find(({ name }) => file.compressed.has(name) && accepts(accepted, name))?.name;
  const handle = await openIfThere((encoding === undefined ? undefined : file.compressed.get(encoding)) ?? file.path);
  if (handle === undefined) return false;
  await using stack = new AsyncDisposableStack();
  stack.use(handle);
  const { size, mtimeMs } = await handle.stat();
  const tag = `"${[size.toString(36), Math.round(mtimeMs).toString(36), encoding ?? []].flat().join('-')}"`;
  void reply.headers({
    'content-type': file.type,
    'cache-control': isHashed ? `public, max-age=${yearSeconds}, immutable` : 'no-cache',
    etag: tag,
    vary: 'accept-encoding',
  });
  if (request.headers['if-none-match'] === tag) {
    void reply.status(304).send();
    return true;
  }
  void reply.header('content-length', size);
  if (encoding !== undefined) void reply.header('content-encoding', encoding);
  if (request.method === 'HEAD') {
    void reply.send();
    return true;
  }
  // From now on the stream closes it.
  stack.move();
  void reply.status(200).send(handle.createReadStream());
  return true;
}

/** The program may be replaced or removed while the manager runs. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function accepts(header: string | string[] | undefined, encoding: string): boolean {
  return String(header ?? '')
    .split(',')
    .some((each) => new RegExp(`^\\s*${encoding}\\s*(;\\s*q=(?!0(\\.0*)?\\s*$).*)?$`).test(each));
}

import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';

interface WebFile {
  readonly path: string;
  readonly bytes: number;
  readonly type: string;
  /** By its name, as it stands in `Content-Encoding`. */
  readonly compressed: ReadonlyMap<'br' | 'gzip', { readonly path: string; readonly bytes: number }>;
  readonly tag: string;
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

/** The files of the web UI, as they were when the manager started; nothing else in the directory can be reached. */
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
      files.set(`/${relative(directory, path).split(sep).join('/')}`, await describe(path, new Set(paths)));
    return new WebFiles(files);
  }

  /** The file, or the page that finds out in the browser what its address means. @returns undefined where there is no UI */
  answer(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const path = request.url.replace(/[?#].*$/s, '');
    const isPage = !path.startsWith(hashedPrefix) && extname(path) === '';
    const file = this.#files.get(path) ?? (isPage ? this.#files.get('/index.html') : undefined);
    return file === undefined ? undefined : send(file, { request, reply, isHashed: path.startsWith(hashedPrefix) });
  }
}

async function describe(path: string, all: ReadonlySet<string>): Promise<WebFile> {
  const { size: bytes, mtimeMs } = await stat(path);
  const compressed = new Map<'br' | 'gzip', { path: string; bytes: number }>();
  for (const { name, suffix } of encodings)
    if (all.has(path + suffix)) compressed.set(name, { path: path + suffix, bytes: (await stat(path + suffix)).size });
  const type = types[extname(path)] ?? 'application/octet-stream';
  return { path, bytes, type, compressed, tag: `${bytes.toString(36)}-${Math.round(mtimeMs).toString(36)}` };
}

function send(
  file: WebFile,
  { request, reply, isHashed }: { request: FastifyRequest; reply: FastifyReply; isHashed: boolean },
): FastifyReply {
  const accepted = request.headers['accept-encoding'];
  const encoding = encodings.find(({ name }) => file.compressed.has(name) && accepts(accepted, name))?.name;
  const chosen = (encoding === undefined ? undefined : file.compressed.get(encoding)) ?? file;
  const tag = `"${file.tag}${encoding === undefined ? '' : `-${encoding}`}"`;
  void reply.headers({
    'content-type': file.type,
    'cache-control': isHashed ? `public, max-age=${yearSeconds}, immutable` : 'no-cache',
    etag: tag,
    vary: 'accept-encoding',
  });
  if (request.headers['if-none-match'] === tag) return reply.status(304).send();
  void reply.header('content-length', chosen.bytes);
  if (encoding !== undefined) void reply.header('content-encoding', encoding);
  return request.method === 'HEAD' ? reply.send() : reply.status(200).send(createReadStream(chosen.path));
}

function accepts(header: string | string[] | undefined, encoding: string): boolean {
  return String(header ?? '')
    .split(',')
    .some((each) => new RegExp(`^\\s*${encoding}\\s*(;\\s*q=(?!0(\\.0*)?\\s*$).*)?$`).test(each));
}

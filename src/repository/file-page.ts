import { crc32 } from 'node:zlib';
import { ID_BYTES } from './cipher.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { decodePlace, encodePlace, type Reference, ZERO, ZERO_ID } from './extent.ts';
import { decodeNames, NameTable } from './name-table.ts';
import { NODE } from './footer.ts';

/** A file of a backup: `root` is its only block (height 0) or the top of its tree of extents. */
export interface FileEntry {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** It had holes, so restore leaves zeros out where it can. */
  readonly isSparse: boolean;
  readonly height: number;
  /** Undefined for an empty file. */
  readonly root: Reference | undefined;
}

/** A page of the list of files below another one: everything from `first` up to the next one's `first`. */
export interface PageEntry {
  readonly first: string;
  readonly root: Reference;
}

export type Page =
  | { readonly level: 0; readonly files: readonly FileEntry[] }
  | { readonly level: number; readonly pages: readonly PageEntry[] };

const MAX_ENTRIES = 1024;
const MAX_LEVEL = 8;
const MAX_PATH_BYTES = 511;
const MIN_ENTRIES = 32;
const HIGH_CHARACTERS = /[\ud800-\uffff]/;

/** Orders paths as their UTF-8 bytes do. */
export function comparePaths(a: string, b: string): number {
  // Without characters beyond the first surrogate, the order of UTF-16 is the same, and comparing costs a tenth.
  if (!HIGH_CHARACTERS.test(a) && !HIGH_CHARACTERS.test(b)) return a < b ? -1 : Number(a > b);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Cuts a sorted list into pages at places that the names themselves decide, so that a file more or less changes one page
 * and not all behind it.
 */
export function* paginate<T>(entries: Iterable<T>, nameOf: (entry: T) => string): Generator<T[]> {
  let page: T[] = [];
  for (const entry of entries) {
    const cut = page.length >= MIN_ENTRIES && crc32(nameOf(entry)) % 64 === 0;
    if (cut || page.length >= MAX_ENTRIES) {
      yield page;
      page = [];
    }
    page.push(entry);
  }
  if (page.length > 0) yield page;
}

export function encodeFilePage(files: readonly FileEntry[]): Buffer {
  return encodePage(0, files.length, (body, names) => {
    for (const file of files) {
      body.text(file.path).varint(file.size);
      body.u8((file.isSparse ? 1 : 0) | (file.root === undefined ? 2 : 0)).u8(file.height);
      if (file.root) encodeReference(body, file.root, names);
    }
  });
}

export function encodeUpperPage(level: number, pages: readonly PageEntry[]): Buffer {
  return encodePage(level, pages.length, (body, names) => {
    for (const page of pages) {
      body.text(page.first);
      encodeReference(body, page.root, names);
    }
  });
}

export function decodePage(bytes: Buffer, what: string): Page {
  const { reader, level, count, names } = openPage(bytes, what);
  const read = <T>(decode: () => T): T[] => Array.from({ length: count }, decode);
  const page: Page =
    level === 0
      ? { level, files: read(() => decodeFile(reader, names)) }
      : { level, pages: read(() => decodeUpper(reader, names)) };
  reader.end();
  const keys = 'files' in page ? page.files.map(({ path }) => path) : page.pages.map(({ first }) => first);
  if (!isAscending(keys)) throw reader.damaged('its names are not in order');
  if (level > 0 && count === 0) throw reader.damaged('a page above others has none below it');
  return page;
}

export interface FoundInPage {
  readonly level: number;
  /** The file of this path, in a page of files. */
  readonly file?: FileEntry | undefined;
  /** The page below that would have it, in a page above others. */
  readonly below?: PageEntry | undefined;
}

/** Looks up one path without making anything of the other entries: a backup of many files does it for each of them. */
export function searchPage(bytes: Buffer, path: Buffer, what: string): FoundInPage {
  const { reader, level, count, names } = openPage(bytes, what);
  let below: PageEntry | undefined;
  for (let left = count; left > 0; left -= 1) {
    const name = reader.bytes(reader.varint(MAX_PATH_BYTES));
    const order = name.compare(path);
    if (order > 0) break;
    if (level > 0) below = { first: name.toString('utf8'), root: decodeReference(reader, names) };
    else if (order === 0) return { level, file: decodeFacts(reader, { path: path.toString('utf8'), names }) };
    else skipFacts(reader, names);
  }
  return { level, below };
}

interface OpenPage {
  readonly reader: ByteReader;
  readonly level: number;
  readonly count: number;
  readonly names: readonly string[];
}

function openPage(bytes: Buffer, what: string): OpenPage {
  const reader = new ByteReader(bytes, what);
  if (reader.u8() !== NODE.filePage) throw reader.damaged('not a page of files');
  const level = reader.u8();
  if (level > MAX_LEVEL) throw reader.damaged('a page of an impossible level');
  const count = reader.varint(MAX_ENTRIES);
  return { reader, level, count, names: decodeNames(reader, MAX_ENTRIES) };
}

/** No name twice, each behind the one before. */
function isAscending(names: readonly string[]): boolean {
  return names.every((name, at) => at === 0 || comparePaths(names[at - 1] ?? '', name) < 0);
}

function encodePage(level: number, count: number, write: (body: ByteWriter, names: NameTable) => void): Buffer {
  const names = new NameTable();
  const body = new ByteWriter(16 << 10);
  write(body, names);
  const head = new ByteWriter().u8(NODE.filePage).u8(level).varint(count);
  names.encode(head);
  return Buffer.concat([head.view(), body.view()]);
}

function decodeFile(reader: ByteReader, names: readonly string[]): FileEntry {
  return decodeFacts(reader, { path: reader.text(MAX_PATH_BYTES), names });
}

function decodeFacts(
  reader: ByteReader,
  { path, names }: { readonly path: string; readonly names: readonly string[] },
): FileEntry {
  const size = reader.varint();
  const flags = reader.u8();
  const height = reader.u8();
  if (flags > 3 || height > 8 || ((flags & 2) !== 0) !== (size === 0)) throw reader.damaged('a file makes no sense');
  if (!isSafePath(path)) throw reader.damaged('a file has a forbidden name');
  return {
    path,
    size,
    isSparse: (flags & 1) !== 0,
    height,
    root: size === 0 ? undefined : decodeReference(reader, names),
  };
}

function skipFacts(reader: ByteReader, names: readonly string[]): void {
  const size = reader.varint();
  reader.bytes(2);
  if (size > 0) decodeReference(reader, names);
}

function decodeUpper(reader: ByteReader, names: readonly string[]): PageEntry {
  return { first: reader.text(MAX_PATH_BYTES), root: decodeReference(reader, names) };
}

/** A relative path that stays below where it is put: the same rule when writing and when reading. */
export function isSafePath(path: string): boolean {
  if (path === '' || Buffer.byteLength(path) > MAX_PATH_BYTES || path.includes('\0')) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

export function encodeReference(to: ByteWriter, reference: Reference, names: NameTable): void {
  encodePlace(to, reference, names);
  if (reference.frame !== ZERO) to.bytes(reference.id);
}

export function decodeReference(reader: ByteReader, names: readonly string[]): Reference {
  const place = decodePlace(reader, names);
  return { ...place, id: place.frame === ZERO ? ZERO_ID : reader.bytes(ID_BYTES) };
}

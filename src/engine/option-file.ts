import { readFile } from 'node:fs/promises';
import { PermanentFailure } from '../lib/failure.ts';
import type { ServerConnection } from './engine.ts';

/** The groups that a client program reads, in the order in which later ones win. */
const clientGroups = new Set(['client', 'client-server', 'client-mariadb']);
const maximumBytes = 1024 * 1024;

/**
 * The connection with what is missing filled from its option file's `[client]` section. Without `defaultsFile` it comes
 * back as it is. Throws PermanentFailure when the file cannot be read.
 */
export async function resolveConnection(server: ServerConnection): Promise<ServerConnection> {
  if (server.defaultsFile === undefined) return server;
  const options = clientOptions(await readOptionFile(server.defaultsFile));
  const { defaultsFile: _, ...given } = server;
  return { ...options, ...given };
}

async function readOptionFile(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= maximumBytes) return text;
  } catch (cause) {
    throw new PermanentFailure(
      'option-file-unreadable',
      `Cannot read the option file ${path} as the system refused: ${reasonOf(cause)}`,
      {
        cause,
        nextStep: 'Check the path and that the user who runs Holdfast may read the file.',
      },
    );
  }
  throw new PermanentFailure(
    'option-file-unreadable',
    `Cannot read the option file ${path} as it is larger than ${maximumBytes} bytes`,
  );
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}

function clientOptions(text: string): ServerConnection {
  const values = new Map<string, string>();
  for (const { group, key, value } of parseOptions(text)) {
    if (clientGroups.has(group)) values.set(key, value);
  }
  const port = Number(values.get('port'));
  const picked = {
    socket: values.get('socket'),
    host: values.get('host'),
    user: values.get('user'),
    password: values.get('password'),
  };
  return {
    ...Object.fromEntries(Object.entries(picked).filter(([, value]) => value !== undefined)),
    ...(port > 0 ? { port } : {}),
  };
}

export interface Option {
  readonly group: string;
  /** With `-` as word separator, whichever the file uses. */
  readonly key: string;
  readonly value: string;
}

/** The options of a file in the servers' own syntax. Lines that are no option are left out. */
export function* parseOptions(text: string): Generator<Option> {
  let group = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';') || line.startsWith('!')) continue;
    const header = /^\[([^\]]*)\]/.exec(line);
    if (header) {
      group = (header[1] ?? '').trim();
      continue;
    }
    const equals = line.indexOf('=');
    const key = (equals < 0 ? withoutComment(line) : line.slice(0, equals)).trim().replaceAll('_', '-');
    yield { group, key, value: equals < 0 ? '' : optionValue(line.slice(equals + 1)) };
  }
}

function optionValue(text: string): string {
  const value = withoutComment(text).trim();
  const quote = value[0];
  const isQuoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote);
  return unescape(isQuoted ? value.slice(1, -1) : value);
}

/** A `#` outside quotes begins a comment. */
function withoutComment(text: string): string {
  let quote = '';
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '\\') index += 1;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '#') return text.slice(0, index);
  }
  return text;
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  r: '\r',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (all, char: string) => escapes[char] ?? all);
}

/** One line `key="value"` that the tools read back as it was. */
export function optionLine(key: string, value: string): string {
  const escaped = value.replace(/[\\"\n\r\t\b]/g, (char) => `\\${written[char] ?? char}`);
  return `${key}="${escaped}"`;
}

const written: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b' };

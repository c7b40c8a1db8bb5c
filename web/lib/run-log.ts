import { useEffect, useRef, useState } from 'react';
import { ApiError, errorOf } from './api.ts';

/** First part of the path of what has a log. */
export type LogKind = 'backups' | 'restores' | 'drills';

export interface RunLog {
  readonly lines: readonly string[];
  /** Number of the first one; older ones are gone. */
  readonly first: number;
  /** May more come? */
  readonly isLive: boolean;
  readonly error: ApiError | undefined;
}

interface Followed {
  readonly kind: LogKind;
  readonly name: string;
  /** What is there is all. */
  readonly isOver: boolean;
  /** Number of the first line that is wanted. */
  readonly from: number;
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly string[], first: number) => void;
}

const firstLineHeader = 'holdfast-first-line';
const pauseMs = 1000;
/** Of the newest lines, so that a page stays quick. */
const maximumLines = 20_000;
const none: RunLog = { lines: [], first: 0, isLive: true, error: undefined };

/** The log of a run, growing while it runs, also when it is tried again. For another run, another component. */
export function useRunLog({ kind, name, isOver }: { kind: LogKind; name: string; isOver: boolean }): RunLog {
  const [log, setLog] = useState(none);
  const next = useRef(0);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const onLines = (lines: readonly string[], first: number): void => {
      if (signal.aborted) return;
      next.current = first + lines.length;
      setLog((before) => ({ ...withLines(before, lines, first), isLive: true, error: undefined }));
    };
    followLog({ kind, name, isOver, from: next.current, signal, onLines }).then(
      () => {
        if (!signal.aborted) setLog((before) => ({ ...before, isLive: false }));
      },
      (error: unknown) => {
        if (!signal.aborted) setLog((before) => ({ ...before, isLive: false, error: asApiError(error) }));
      },
    );
    return () => stop.abort();
  }, [kind, name, isOver]);
  return log;
}

export function logUrl(kind: LogKind, name: string, query = ''): string {
  return `/api/v1/${kind}/${encodeURIComponent(name)}/log${query}`;
}

export function withLines(before: RunLog, lines: readonly string[], first: number): RunLog {
  const known = before.lines.length === 0 ? first : before.first;
  const all = [...before.lines, ...lines];
  const dropped = Math.max(0, all.length - maximumLines);
  return { ...before, lines: all.slice(dropped), first: known + dropped };
}

/**
 * The manager ends an answer when nothing was said for a while, and when it ends itself; so it is asked again until the run
 * is over and all was read. @throws ApiError when it answers that it does not tell
 */
async function followLog({ kind, name, isOver, from, signal, onLines }: Followed): Promise<void> {
  let next = from;
  const read = async (): Promise<void> => {
    const response = await fetch(logUrl(kind, name, `?from=${next}${isOver ? '' : '&follow=true'}`), { signal });
    if (!response.ok) throw await errorOf(response);
    next = Math.max(next, Number(response.headers.get(firstLineHeader) ?? next));
    for await (const lines of linesOf(response)) {
      onLines(lines, next);
      next += lines.length;
    }
  };
  for (;;) {
    const isWhole = await read().then(
      () => true,
      (error: unknown) => {
        signal.throwIfAborted();
        // The frame of the page says that the manager is away.
        if (error instanceof ApiError && error.status < 500) throw error;
        return false;
      },
    );
    if (isOver && isWhole) return;
    await pause(signal);
  }
}

async function* linesOf(response: Response): AsyncGenerator<readonly string[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    const lines = (rest + part.value).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [rest];
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, pauseMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('The log is not looked at any more'));
    });
  });
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = 'Cannot show the log as this page failed';
  return new ApiError(0, { code: 'internal', message, nextStep: 'Load the page again.' }, error);
}

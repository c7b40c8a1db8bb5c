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
  /** Asked before each request: once the run is over, what is there is all. */
  readonly isOver: () => boolean;
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly string[], first: number) => void;
}

const firstLineHeader = 'holdfast-first-line';
const pauseMs = 1000;
/** Of the newest lines, so that a page stays quick. */
const maximumLines = 20_000;
const none: RunLog = { lines: [], first: 0, isLive: true, error: undefined };

/** The log of a run, growing while it runs. For another run, another component. */
export function useRunLog({ kind, name, isOver }: { kind: LogKind; name: string; isOver: boolean }): RunLog {
  const [log, setLog] = useState(none);
  const over = useRef(isOver);
  useEffect(() => {
    over.current = isOver;
  }, [isOver]);
  useEffect(() => {
    const stop = new AbortController();
    followLog({
      kind,
      name,
      isOver: () => over.current,
      signal: stop.signal,
      onLines: (lines, first) => setLog((before) => withLines(before, lines, first)),
    }).then(
      () => setLog((before) => ({ ...before, isLive: false })),
      (error: unknown) => {
        if (!stop.signal.aborted) setLog((before) => ({ ...before, isLive: false, error: asApiError(error) }));
      },
    );
    return () => stop.abort();
  }, [kind, name]);
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

/** The manager ends an answer when nothing was said for a while, so it is asked again until the run is over. */
async function followLog({ kind, name, isOver, signal, onLines }: Followed): Promise<void> {
  let next = 0;
  for (;;) {
    const wasOver = isOver();
    const response = await fetch(logUrl(kind, name, `?from=${next}${wasOver ? '' : '&follow=true'}`), { signal });
    if (!response.ok) throw await errorOf(response);
    next = Math.max(next, Number(response.headers.get(firstLineHeader) ?? next));
    for await (const lines of linesOf(response)) {
      onLines(lines, next);
      next += lines.length;
    }
    if (wasOver) return;
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
  const message = 'Cannot read the log as the connection to the manager ended';
  return new ApiError(0, { code: 'unreachable', message, nextStep: 'Load the page again.' }, error);
}

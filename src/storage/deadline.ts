import type { Abortable } from './storage.ts';

/** The reason of a signal that `withDeadline` aborted. */
export class DeadlineExceeded extends Error {
  override name = 'DeadlineExceeded';
}

/** Runs `work` with a signal that aborts with the caller's, or with `DeadlineExceeded` after `ms`. Nothing stays behind. */
export async function withDeadline<T>(
  ms: number,
  { signal }: Abortable,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new DeadlineExceeded(`not done within ${ms} ms`)), ms);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    return await work(controller.signal);
  } catch (error) {
    // What a cancelled call throws says less than why it was cancelled.
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

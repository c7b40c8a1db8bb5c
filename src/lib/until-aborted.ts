/**
 * What the work comes to, or the signal's reason as soon as that aborts: for work that may hang and never hear of it. It then goes
 * on unheard, so whatever memory it was given must not be used for anything else.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** As `untilAborted` for each step of an iteration. */
export async function* eachUntilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const step = await untilAborted(iterator.next(), signal);
      isOver = step.done === true;
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    // One that hangs in a step would hang in this one, too.
    const ended = isOver ? undefined : iterator.return?.();
    ended?.catch(() => undefined);
    if (signal?.aborted !== true) await ended;
  }
}

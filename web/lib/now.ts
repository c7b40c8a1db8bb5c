import { useCallback, useSyncExternalStore } from 'react';

/** The time in milliseconds, again every `everyMs`; 0 stands still. */
export function useNow(everyMs = 30_000): number {
  const subscribe = useCallback(
    (tick: () => void) => {
      if (everyMs === 0) return () => undefined;
      const timer = setInterval(tick, everyMs);
      return () => clearInterval(timer);
    },
    [everyMs],
  );
  // In whole steps, as it must stay the same between two of them.
  const step = everyMs === 0 ? Infinity : everyMs;
  return useSyncExternalStore(subscribe, () => (step === Infinity ? 0 : Math.floor(Date.now() / step) * step));
}

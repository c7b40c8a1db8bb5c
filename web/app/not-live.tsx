import { StatusMark } from '../components/status-mark.tsx';
import { useIsLive } from '../lib/live.ts';

/** So that nobody takes what is old for what is. */
export function NotLive() {
  return <span role="status">{useIsLive() ? null : <StatusMark tone="doubtful" word="Not live, connecting" />}</span>;
}

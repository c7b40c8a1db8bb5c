import type { ChildProcess } from 'node:child_process';

/** The descriptor on which a program's watcher hears from this process: nothing, until this process is gone. */
const WATCHED_DESCRIPTOR = 3;

/**
 * The shell leaves a watcher behind and becomes the program: same process, same output, same ending. The watcher reads a
 * descriptor whose other end only the parent holds, so it wakes up when the parent dies, however that happened, and kills
 * the process group. It holds nothing of the program's output open, and is in the group, so it goes with the program.
 * `PR_SET_PDEATHSIG` would be simpler, but a server that becomes another user loses it. What shells add to the environment
 * is taken out again.
 */
const script = `(trap '' TERM INT HUP; read -r _ <&${WATCHED_DESCRIPTOR}; kill -s KILL -- -$$) >/dev/null 2>&1 </dev/null &
unset PWD OLDPWD SHLVL
exec ${WATCHED_DESCRIPTOR}<&- "$@"`;

/** A command that runs the program so that it does not outlive this process; for a process group of its own. */
export function notOutlivingParent(command: string, args: readonly string[]): { command: string; args: string[] } {
  return { command: '/bin/sh', args: ['-c', script, 'sh', command, ...args] };
}

/** To be called when the program has ended. */
export function endWatch(child: ChildProcess): void {
  child.stdio[WATCHED_DESCRIPTOR]?.destroy();
}

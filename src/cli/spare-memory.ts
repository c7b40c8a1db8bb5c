/** Of glibc, which reads it when a process begins. */
const threshold = 'MALLOC_MMAP_THRESHOLD_';

/**
 * Lets a role that holds thousands of connections begin again in the same process, with an allocator that gives each buffer of
 * 16 KiB or more pages of its own. Node keeps two for each connection over TLS and uses little of them; in pages that other
 * things used before, all of it counts. A thousand connections take 25 MB less.
 */
export function spareMemory(role: string | undefined): void {
  const { platform, env, execPath, execArgv, argv } = process;
  if (role !== 'manager' || platform !== 'linux' || env[threshold] !== undefined) return;
  const spare = { [threshold]: '16384', MALLOC_TOP_PAD_: '0' };
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, ...spare });
}

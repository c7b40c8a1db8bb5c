import { chmod, mkdir, stat } from 'node:fs/promises';
import { PermanentFailure } from '../lib/failure.ts';

/** As root it may be passed through, not listed: a drill's server, which is another user, runs below it. */
export async function prepareStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, process.geteuid?.() === 0 ? 0o711 : 0o700);
  } catch (cause) {
    throw new PermanentFailure(
      'state-directory-unusable',
      `Cannot use the agent's state directory as the system refused: ${directory}`,
      {
        cause,
        nextStep: "Create it for the agent's user, or name another one as `stateDirectory` in the agent's file.",
      },
    );
  }
}

/** What root would write there the agent could not read afterwards. @throws PermanentFailure `state-directory-of-another` */
export async function refuseAnothers(directory: string): Promise<void> {
  const { uid } = await stat(directory);
  if (process.geteuid?.() !== 0 || uid === 0) return;
  throw new PermanentFailure(
    'state-directory-of-another',
    `Cannot write to the agent's state directory as root as the agent runs as another user: ${directory} is of user ${uid}`,
    { nextStep: `Do it as that user: sudo -u '#${uid}' holdfast agent join …` },
  );
}

import { Button } from '@mantine/core';
import { ButtonLink } from '../../components/links.tsx';
import { useMay } from '../../lib/may.ts';
import type { Act, Backup } from './backup-actions.tsx';
import { BackupMenu } from './backup-menu.tsx';
import { retryWords, whatMayBeDone } from './what-may-be-done.ts';

/** What is likeliest to be wanted of a backup as buttons, everything in the menu beside them. */
export function BackupButtons({ backup, act }: { readonly backup: Backup; readonly act: Act }) {
  const mayOperate = useMay('operator');
  const may = whatMayBeDone(backup);
  if (!mayOperate) return null;
  return (
    <>
      {may.cancel ? (
        <Button variant="default" onClick={() => act('cancel', backup)}>
          Cancel
        </Button>
      ) : null}
      {may.retry ? <Button onClick={() => act('retry', backup)}>{retryWords(backup)}</Button> : null}
      {may.restore ? (
        <>
          <ButtonLink to="/drills" search={{ start: backup.name }} variant="default">
            Start a drill
          </ButtonLink>
          <ButtonLink to="/restore/$backup" params={{ backup: backup.name }}>
            Restore
          </ButtonLink>
        </>
      ) : null}
      <BackupMenu backup={backup} act={act} />
    </>
  );
}

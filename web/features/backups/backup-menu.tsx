import { ActionIcon, Menu } from '@mantine/core';
import { Icon } from '../../components/icon.tsx';
import { MenuLink } from '../../components/links.tsx';
import { useMay } from '../../lib/may.ts';
import type { Act, Backup } from './backup-actions.tsx';
import { retryWords, whatMayBeDone } from './what-may-be-done.ts';

/** All that can be done with a backup; what destroys stands last, apart. */
export function BackupMenu({ backup, act }: { readonly backup: Backup; readonly act: Act }) {
  const { name, spec } = backup;
  const mayOperate = useMay('operator');
  const may = whatMayBeDone(backup);
  if (!mayOperate || backup.status.state === 'Deleted') return null;
  return (
    <Menu position="bottom-end" width={190} keepMounted={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" c="inherit" aria-label={`Actions for ${name}`}>
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {may.restore ? (
          <>
            <MenuLink to="/restore/$backup" params={{ backup: name }}>
              Restore
            </MenuLink>
            <MenuLink to="/drills" search={{ start: name }}>
              Start a drill
            </MenuLink>
          </>
        ) : null}
        {may.cancel ? <Menu.Item onClick={() => act('cancel', backup)}>Cancel</Menu.Item> : null}
        {may.retry ? <Menu.Item onClick={() => act('retry', backup)}>{retryWords(backup)}</Menu.Item> : null}
        {may.pin ? (
          <Menu.Item onClick={() => act(spec.isPinned ? 'unpin' : 'pin', backup)}>
            {spec.isPinned ? 'Unpin' : 'Pin, so that it is kept'}
          </Menu.Item>
        ) : null}
        <Menu.Divider />
        <Menu.Item
          c="var(--hf-bad)"
          disabled={!may.delete}
          title={may.whyNotDelete}
          onClick={() => act('delete', backup)}
        >
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

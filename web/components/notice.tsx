import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';
import classes from './notice.module.css';

export interface NoticeProps {
  readonly title: string;
  readonly icon: IconName;
  readonly children: ReactNode;
}

/** What a person has to know before they go on. */
export function Notice({ title, icon, children }: NoticeProps) {
  return (
    <div className={classes['notice']}>
      <Group gap="xs" wrap="nowrap" className={classes['title']}>
        <Icon name={icon} />
        <Text size="sm" fw={600} component="span">
          {title}
        </Text>
      </Group>
      <Text size="sm" component="div" mt={2}>
        {children}
      </Text>
    </div>
  );
}

import { ActionIcon, Group, Text } from '@mantine/core';
import { Icon } from './icon.tsx';

export interface PagesProps {
  readonly total: number;
  readonly page: number;
  readonly pageSize: number;
  readonly onPage: (page: number) => void;
}

/** Which rows of how many are shown, and the way to the others. */
export function Pages({ total, page, pageSize, onPage }: PagesProps) {
  const last = Math.max(1, Math.ceil(total / pageSize));
  const from = (page - 1) * pageSize + 1;
  const number = (value: number) => value.toLocaleString('en');
  return (
    <Group component="nav" justify="flex-end" gap="xs" mt={8} aria-label="Pages">
      <Text size="sm" c="dimmed" className="figures" aria-live="polite">
        {number(Math.min(from, total))}–{number(Math.min(total, from + pageSize - 1))} of {number(total)}
      </Text>
      {last === 1 ? null : (
        <>
          <ActionIcon variant="default" aria-label="Page before" disabled={page <= 1} onClick={() => onPage(page - 1)}>
            <Icon name="back" />
          </ActionIcon>
          <ActionIcon variant="default" aria-label="Next page" disabled={page >= last} onClick={() => onPage(page + 1)}>
            <Icon name="forward" />
          </ActionIcon>
        </>
      )}
    </Group>
  );
}

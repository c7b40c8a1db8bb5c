import { Group, Text } from '@mantine/core';

export function Brand() {
  return (
    <Group gap={8} wrap="nowrap">
      <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
        <rect width="24" height="24" rx="5" fill="var(--mantine-color-kelp-8)" />
        <g fill="none" stroke="#fff" strokeWidth="2" strokeLinecap="round">
          <path d="M12 4v15.500M12 10c-4 1-6 4-6.500 9M12 10c4 1 6 4 6.500 9" />
        </g>
      </svg>
      <Text component="span" fw={650} size="md">
        Holdfast
      </Text>
    </Group>
  );
}

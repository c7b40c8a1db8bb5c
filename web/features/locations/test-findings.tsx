import { Stack, Text } from '@mantine/core';
import { type Finding, Findings } from '../../components/findings.tsx';
import { StatusMark } from '../../components/status-mark.tsx';

/** What a test of a location found: each verb, and what is missing. */
export function TestFindings({ findings }: { readonly findings: readonly Finding[] }) {
  const failed = findings.filter(({ level }) => level === 'error');
  return (
    <Stack gap="xs" mt="xs">
      <Text size="sm" fw={600} component="div">
        {failed.length === 0 ? (
          <StatusMark tone="good" word="It works" />
        ) : (
          <StatusMark
            tone="bad"
            word={failed.length === 1 ? 'One thing does not work' : `${failed.length} things do not work`}
          />
        )}
      </Text>
      <Findings findings={findings} label="What the test found" />
    </Stack>
  );
}

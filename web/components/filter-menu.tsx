import { Button, Checkbox, Popover, ScrollArea, Stack, Text } from '@mantine/core';
import { valuesOf } from '../lib/list-search.ts';
import { Icon } from './icon.tsx';

export interface FilterMenuProps {
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly text: string }[];
  /** Separated by commas; undefined: all. */
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

/** A button that opens a list of what to show; several may be chosen. */
export function FilterMenu({ label, options, value, onChange }: FilterMenuProps) {
  const chosen = valuesOf(value);
  const names = options.filter((option) => chosen.includes(option.value)).map(({ text }) => text);
  const toggle = (each: string): void => {
    const next = chosen.includes(each) ? chosen.filter((other) => other !== each) : [...chosen, each];
    onChange(next.length === 0 ? undefined : next.join(','));
  };
  return (
    <Popover position="bottom-start" trapFocus returnFocus>
      <Popover.Target>
        <Button
          variant={chosen.length === 0 ? 'default' : 'light'}
          size="sm"
          px="sm"
          fw={400}
          rightSection={<Icon name="down" size={14} />}
        >
          {chosen.length === 0
            ? label
            : `${label}: ${names.length > 1 || names[0] === undefined ? chosen.length : names[0]}`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs" aria-label={label}>
        <ScrollArea.Autosize mah={320} type="auto">
          <Stack gap={8} p={4} role="group" aria-label={label}>
            {options.length === 0 ? <Text size="sm">Nothing to choose from yet.</Text> : null}
            {options.map((option) => (
              <Checkbox
                key={option.value}
                size="sm"
                label={option.text}
                checked={chosen.includes(option.value)}
                onChange={() => toggle(option.value)}
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}

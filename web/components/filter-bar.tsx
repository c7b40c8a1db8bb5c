import { Button, Group, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import classes from './filter-bar.module.css';
import { Icon } from './icon.tsx';

export interface FilterBarProps {
  readonly search: string | undefined;
  /** What is searched, e.g. "Search backups by name". */
  readonly searchLabel: string;
  readonly onSearch: (search: string | undefined) => void;
  /** FilterMenus. */
  readonly children?: ReactNode;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}

const typingMs = 250;

export function FilterBar({ search, searchLabel, onSearch, children, isFiltered, onClear }: FilterBarProps) {
  const [text, setText] = useState(search ?? '');
  const [seen, setSeen] = useState(search);
  const [told, setTold] = useState(search ?? '');
  if (seen !== search) {
    setSeen(search);
    // Changed from elsewhere; what came from here may be older than what is typed by now.
    if ((search ?? '') !== told) setText(search ?? '');
  }
  const tell = useDebouncedCallback((value: string) => {
    setTold(value);
    onSearch(value === '' ? undefined : value);
  }, typingMs);
  return (
    <Group component="search" gap="xs" mb="sm">
      <TextInput
        type="search"
        size="sm"
        aria-label={searchLabel}
        placeholder={searchLabel}
        leftSection={<Icon name="search" size={16} />}
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          tell(currentTarget.value);
        }}
        w={{ base: '100%', xs: 240 }}
      />
      <div className={classes['filters']}>{children}</div>
      {isFiltered ? (
        <Button variant="subtle" size="compact-sm" onClick={onClear}>
          Clear filters
        </Button>
      ) : null}
    </Group>
  );
}

import { Radio, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './choice-list.module.css';

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: ReactNode;
  readonly description?: ReactNode;
  /** Why it cannot be chosen; it is shown in place of the description. */
  readonly whyNot?: string | undefined;
}

export interface ChoiceListProps<Value extends string> {
  readonly label: string;
  readonly description?: string;
  /** Undefined: nothing is chosen yet. */
  readonly value: Value | undefined;
  readonly onChange: (value: Value) => void;
  readonly choices: readonly Choice<Value>[];
  readonly error?: string | undefined;
  /** A dialog opens with the focus here. */
  readonly isFocused?: boolean;
}

/** One of a few, each with what it means; what cannot be chosen says why. */
export function ChoiceList<Value extends string>(props: ChoiceListProps<Value>) {
  const { label, description, value, onChange, choices, error, isFocused = false } = props;
  return (
    <Radio.Group
      label={label}
      description={description}
      value={value ?? null}
      onChange={(chosen) => onChange(chosen as Value)}
      error={error}
      data-missing={error !== undefined || undefined}
    >
      <Stack gap={8} mt={8} mb={error === undefined ? 0 : 8}>
        {choices.map((choice) => (
          <Radio
            key={choice.value}
            value={choice.value}
            label={choice.label}
            description={choice.whyNot ?? choice.description}
            disabled={choice.whyNot !== undefined}
            data-autofocus={(isFocused && choice.value === value) || undefined}
            classNames={{
              label: classes['label'] ?? '',
              description: classes['description'] ?? '',
              radio: classes['radio'] ?? '',
            }}
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}

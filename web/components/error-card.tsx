import { Button, Code, Group, Paper, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiError } from '../lib/api.ts';
import classes from './error-card.module.css';
import { Icon } from './icon.tsx';

export interface ErrorCardProps {
  readonly error: Error;
  /** Offers to do it again. */
  readonly onRetry?: (() => void) | undefined;
  readonly children?: ReactNode;
}

/** What did not work: the message, what to do next, and the code that help and logs know it by. */
export function ErrorCard({ error, onRetry, children }: ErrorCardProps) {
  const told = error instanceof ApiError ? error : undefined;
  return (
    <Paper role="alert" className={classes['card']}>
      <Group align="flex-start" wrap="nowrap" gap="sm">
        <span className={classes['mark']}>
          <Icon name="warning" />
        </span>
        <Stack gap={4} miw={0} flex={1}>
          <Text size="sm" fw={600}>
            {error.message}
          </Text>
          {told?.nextStep === undefined ? null : <Text size="sm">{told.nextStep}</Text>}
          {fieldsOf(told?.details).map(({ path, message }) => (
            <Text size="sm" key={`${path} ${message}`}>
              <b>{path}</b>: {message}
            </Text>
          ))}
          {children}
          <Group gap="sm" mt={4}>
            {onRetry === undefined ? null : (
              <Button size="compact-sm" variant="default" onClick={onRetry}>
                Try again
              </Button>
            )}
            {told === undefined ? null : (
              <Text size="xs" c="dimmed">
                Code <Code className={classes['code']}>{told.code}</Code>
              </Text>
            )}
          </Group>
        </Stack>
      </Group>
    </Paper>
  );
}

/** What the answer `invalid-request` says about each field. */
export function fieldsOf(details: unknown): readonly { readonly path: string; readonly message: string }[] {
  if (typeof details !== 'object' || details === null || !('fields' in details)) return [];
  const { fields } = details;
  if (!Array.isArray(fields)) return [];
  return fields.flatMap((field: unknown) => {
    if (typeof field !== 'object' || field === null || !('path' in field) || !('message' in field)) return [];
    const path = Array.isArray(field.path) ? field.path.join('.') : String(field.path);
    return [{ path, message: String(field.message) }];
  });
}

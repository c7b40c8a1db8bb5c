import { Radio, Text } from '@mantine/core';
import classes from './backup-kind.module.css';

/** When it runs. */
export function BackupKind() {
  return (
    <Radio.Group defaultValue="on-demand" label="Backup" labelProps={{ className: classes['label'] }}>
      <Radio.Card value="on-demand" className={classes['card']} aria-label="On Demand">
        <Radio.Indicator size="sm" />
        <span>
          <Text component="span" fw={600} size="sm" display="block">
            On Demand
          </Text>
          <Text component="span" size="sm" c="dimmed">
            Back up a service now, once, as it is at this moment.
          </Text>
        </span>
      </Radio.Card>
    </Radio.Group>
  );
}

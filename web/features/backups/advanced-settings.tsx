import { Accordion, Group, NativeSelect, NumberInput, Radio, Stack } from '@mantine/core';
import { maximumRetries } from './draft.ts';
import type { DraftForm } from './what-and-where.tsx';

const units = ['seconds', 'minutes', 'hours'];

/** What most leave as it is. */
export function AdvancedSettings({ form }: { readonly form: DraftForm }) {
  const isAuto = form.values.retryMode === 'auto';
  return (
    <Accordion variant="contained" order={2} defaultValue={isAuto ? 'advanced' : null}>
      <Accordion.Item value="advanced">
        <Accordion.Control>Advanced Settings</Accordion.Control>
        <Accordion.Panel>
          <Stack gap="md">
            <Radio.Group
              label="Retry mode"
              description="What happens when an attempt fails. A reason that no retry can mend, such as a wrong password, ends it at once."
              {...form.getInputProps('retryMode')}
            >
              <Group gap="lg" mt={6}>
                <Radio value="auto" label="Auto" />
                <Radio value="manual" label="Manual" />
              </Group>
            </Radio.Group>
            <Group gap="sm" align="flex-start">
              <NumberInput
                label="Retries"
                min={1}
                max={maximumRetries}
                clampBehavior="none"
                allowDecimal={false}
                disabled={!isAuto}
                w={110}
                {...numberProps(form, 'retries')}
              />
              <NumberInput
                label="Interval"
                min={1}
                clampBehavior="none"
                disabled={!isAuto}
                w={130}
                {...numberProps(form, 'interval')}
              />
              <NativeSelect
                label="Unit"
                data={units}
                disabled={!isAuto}
                w={120}
                {...form.getInputProps('intervalUnit')}
              />
            </Group>
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

function numberProps(form: DraftForm, field: 'retries' | 'interval') {
  const { values, errors } = form;
  return {
    value: values[field],
    error: errors[field],
    onChange: (value: number | string) => form.setFieldValue(field, value === '' ? '' : Number(value)),
  };
}

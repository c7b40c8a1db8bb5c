import { Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Resource } from '../../../src/api/resources.ts';
import { ChoiceList } from '../../components/choice-list.tsx';
import {
  checkDirectory,
  proposeDirectory,
  type RestoreDraft,
  type RestoreTarget,
  type Where,
  whyNoDirectory,
  whyNotInto,
} from './restore-draft.ts';

export interface ChooseTargetProps {
  readonly backup: Resource<'Backup'>;
  readonly targets: readonly RestoreTarget[];
  readonly draft: RestoreDraft;
  readonly change: (to: Partial<RestoreDraft>) => void;
  /** Someone pressed the button: say what is missing. */
  readonly isChecked: boolean;
}

export function ChooseTarget(props: ChooseTargetProps) {
  const { backup, targets, draft, change, isChecked } = props;
  const same = targets.find(({ isSame }) => isSame);
  return (
    <Stack>
      <ChoiceList<Where>
        label="Where shall the data go?"
        value={draft.where}
        onChange={(where) => change({ where })}
        error={isChecked && draft.where === undefined ? 'Choose where the data goes.' : undefined}
        choices={[
          {
            value: 'same',
            label: `Back onto ${backup.spec.service}`,
            description: `Its data is replaced by the backup. ${same?.why ?? ''}`.trim(),
            whyNot: same === undefined ? 'This service is not here any more.' : whyNotInto(same),
          },
          {
            value: 'other',
            label: 'Onto another service',
            description: 'The data of that service is replaced by the backup.',
            whyNot: others(targets).length === 0 ? 'There is no other service.' : undefined,
          },
          {
            value: 'directory',
            label: 'Into a directory',
            description: 'No server is touched. You point a server at it, or copy out what you need.',
          },
        ]}
      />
      {draft.where === 'other' ? <OtherService {...props} /> : null}
      {draft.where === 'directory' ? <Directory {...props} /> : null}
    </Stack>
  );
}

const manyServices = 8;

function OtherService({ targets, draft, change, isChecked }: ChooseTargetProps) {
  const [search, setSearch] = useState('');
  const all = others(targets);
  const shown = all.filter(({ service }) => service.toLowerCase().includes(search.toLowerCase()));
  return (
    <>
      {all.length > manyServices ? (
        <TextInput
          label="Find a service"
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
          maw={360}
        />
      ) : null}
      <ChoiceList
        label="Which service?"
        value={draft.service}
        onChange={(service) => change({ service })}
        error={isChecked && draft.service === undefined ? 'Choose a service.' : undefined}
        choices={shown.map((target) => ({
          value: target.service,
          label: target.service,
          description: target.why,
          whyNot: whyNotInto(target),
        }))}
      />
    </>
  );
}

function Directory({ backup, targets, draft, change, isChecked }: ChooseTargetProps) {
  const host = targets.find(({ agent }) => agent === draft.agent);
  const error = host === undefined ? undefined : checkDirectory(draft.directory, host.directories);
  const choose = (agent: string | null): void => {
    const chosen = targets.find((target) => target.agent === agent);
    if (chosen !== undefined) change({ agent: chosen.agent, directory: proposeDirectory(chosen, backup.name) });
  };
  return (
    <Stack maw={480}>
      <Select
        label="Host"
        description="Where an agent lists directories for restores in its own file."
        placeholder="Choose a host"
        searchable
        data={hosts(targets)}
        value={draft.agent ?? null}
        onChange={choose}
        error={isChecked && host === undefined ? 'Choose a host.' : undefined}
      />
      {host === undefined ? null : (
        <TextInput
          label="Directory"
          description={`Absent or empty, below ${host.directories.join(' or ')}.`}
          value={draft.directory}
          onChange={({ currentTarget }) => change({ directory: currentTarget.value })}
          error={error}
          spellCheck={false}
        />
      )}
    </Stack>
  );
}

type ServiceTarget = RestoreTarget & { readonly service: string };

/** Those that can be chosen first. */
function others(targets: readonly RestoreTarget[]): readonly ServiceTarget[] {
  return targets
    .filter((target): target is ServiceTarget => target.service !== undefined && !target.isSame)
    .toSorted((a, b) => rank(a) - rank(b) || a.service.localeCompare(b.service));
}

function rank(target: RestoreTarget): number {
  return whyNotInto(target) === undefined ? 0 : 1;
}

function hosts(targets: readonly RestoreTarget[]) {
  const byAgent = new Map(targets.map((target) => [target.agent, target]));
  return [...byAgent.values()].map((target) => {
    const why = whyNoDirectory(target);
    return {
      value: target.agent,
      label: why === undefined ? target.agent : `${target.agent}: lists no directory for restores`,
      disabled: why !== undefined,
    };
  });
}

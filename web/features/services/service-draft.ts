import type { Resource, SpecOf } from '../../../src/api/resources.ts';

/** What stands in the form, as typed. */
export interface ServiceDraft {
  readonly name: string;
  readonly agent: string;
  readonly clusterLabel: string;
  readonly description: string;
}

export function draftOf({ name, spec }: Resource<'Service'>): ServiceDraft {
  return { name, agent: spec.agent, clusterLabel: spec.clusterLabel ?? '', description: spec.description };
}

export function specOf({ agent, clusterLabel, description }: ServiceDraft): SpecOf<'Service'> {
  const label = clusterLabel.trim();
  return { agent, description: description.trim(), ...(label === '' ? {} : { clusterLabel: label }) };
}

/** As specOf; a cluster label that was taken out is said to be none. */
export function changeOf(
  draft: ServiceDraft,
): Omit<SpecOf<'Service'>, 'clusterLabel'> & { clusterLabel: string | null } {
  return { clusterLabel: null, ...specOf(draft) };
}

/** What is wrong by field, before anything is sent. */
export function checkService({ name, agent, clusterLabel }: ServiceDraft): Partial<Record<keyof ServiceDraft, string>> {
  return {
    ...(agent === '' ? { agent: 'Choose the agent beside the server.' } : {}),
    ...(isName(name.trim())
      ? {}
      : { name: 'Use letters, digits, dots, colons, underscores and hyphens, at most 100.' }),
    ...(isFolder(clusterLabel.trim())
      ? {}
      : { clusterLabel: 'Use names with / between them, without one at either end.' }),
  };
}

function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(text);
}

function isFolder(text: string): boolean {
  return text === '' || (!text.includes('\\') && text.split('/').every((part) => !['', '.', '..'].includes(part)));
}

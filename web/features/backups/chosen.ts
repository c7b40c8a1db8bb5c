/** What is chosen when the form opens, over what it held before: who went away to add one comes back with its name. */
export interface Chosen {
  readonly service?: string;
  readonly location?: string;
  /** The cluster label of the service. */
  readonly folder?: string;
}

export function parseChosen({ service, location, folder }: Record<string, unknown>): Chosen {
  return {
    ...(typeof service === 'string' ? { service } : {}),
    ...(typeof location === 'string' ? { location } : {}),
    ...(typeof folder === 'string' ? { folder } : {}),
  };
}

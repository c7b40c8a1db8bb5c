export type Values = Readonly<Record<string, string | number | boolean | undefined>>;

/** Puts `params` for the `:names` of a path and `query` behind it; what is undefined or empty is left out. */
export function addressOf(path: string, { params, query }: { params: Values; query: Values }): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name] ?? '')));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}

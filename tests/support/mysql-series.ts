/** The MySQL that the set-up found. */
export interface FoundMysql {
  readonly bin: string;
  readonly version: string;
  /** Why tests of a series do not run, or undefined where they do. */
  readonly whyNot: string | undefined;
}

/** MySQL of this series; Debian unstable may hold another one by now. */
export function mysqlOf(series: string): FoundMysql {
  const [bin, version] = [process.env['HOLDFAST_TEST_MYSQL'] ?? '', process.env['HOLDFAST_TEST_MYSQL_VERSION'] ?? ''];
  if (bin === '') return { bin, version, whyNot: 'MySQL is fetched on Debian only' };
  const isSeries = version.startsWith(`${series}.`);
  return { bin, version, whyNot: isSeries ? undefined : `Debian unstable holds MySQL ${version} and not ${series}` };
}

import { delimiter } from 'node:path';
import { ensureTestTools } from '../../scripts/setup/test-tools.ts';
import { COMPILE_CACHE } from './compile-cache.ts';

/** Sees to it that the tools and servers are there and tells the tests, in the environment, where. */
export async function setup(): Promise<void> {
  const tools = await ensureTestTools();
  process.env['HOLDFAST_TEST_MARIADB_10_11'] = tools.mariadb;
  process.env['HOLDFAST_TEST_MARIADB_SID'] = tools.mariadbSid ?? '';
  process.env['HOLDFAST_TEST_MYSQL'] = tools.mysql?.bin ?? '';
  process.env['HOLDFAST_TEST_MYSQL_VERSION'] = tools.mysql?.version ?? '';
  process.env['HOLDFAST_TEST_VERSITYGW'] = tools.versitygw;
  process.env['HOLDFAST_TEST_PYTHON'] = tools.python;
  process.env['HOLDFAST_TEST_SCHEMATHESIS'] = tools.schemathesis;
  process.env['NODE_COMPILE_CACHE'] = COMPILE_CACHE;
  process.env['PATH'] = [tools.mariadb, process.env['PATH']].join(delimiter);
}

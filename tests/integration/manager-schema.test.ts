import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { type ControlOptions, startControl } from '../../src/control/control.ts';
import { PermanentFailure } from '../../src/lib/failure.ts';
import { startTestManager, type TestManager } from '../support/manager.ts';

const signal = new AbortController().signal;
const seconds = Number(process.env['HOLDFAST_SCHEMA_SECONDS'] ?? 40);
let directory: string;
let started: TestManager;
let catalog: Catalog;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-schema-'));
  started = await startTestManager({ startControl: withoutStores });
  await fill();
});
afterAll(async () => {
  await started[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Nothing of this host is to be written to, whatever directory is named. */
async function withoutStores(options: ControlOptions) {
  ({ catalog } = options);
  const open = async () => {
    throw new PermanentFailure('no-store', 'Cannot open this store as there are none in this test');
  };
  return startControl({ ...options, stores: { ...options.stores, open } });
}

/** Things whose names are likely to be tried. */
async function fill(): Promise<void> {
  const none = { engines: [], restoreDirectories: [], mayRestoreInPlace: false, locations: [], managedLocations: [] };
  for (const name of ['0', 'a', 'A']) {
    await catalog.create('Agent', name, {
      spec: { connection: { type: 'dials' }, description: '' },
      status: { state: 'Unknown', ...none },
    });
    await started.admin.call('createService', { body: { name, agent: name }, signal });
    await catalog.create('StorageLocation', name, {
      spec: { place: { type: 'directory', path: directory }, isEncrypted: false, description: '' },
      status: { state: 'Unknown', findings: [], secrets: [] },
    });
    const body = { name, service: name, location: name, retry: { mode: 'manual' } } as const;
    await started.admin.call('createBackup', { body, signal });
  }
}

test(`no request that Schemathesis makes up in ${seconds} s is answered as a fault of the program`, async () => {
  const { token } = await started.admin.call('createToken', { body: { name: 'schemathesis', role: 'admin' }, signal });
  const seed = process.env['HOLDFAST_SEED'] ?? String(Math.floor(performance.timeOrigin) % 1e9);
  console.log(`seed ${seed}`);
  const program = process.env['HOLDFAST_TEST_SCHEMATHESIS'] ?? 'python3';
  const options = {
    '--header': `Authorization: Bearer ${token}`,
    '--checks': 'not_a_server_error',
    '--phases': 'examples,coverage,fuzzing',
    // These do not end by themselves.
    '--exclude-path-regex': '/(log|events)$',
    '--request-timeout': '20',
    '--generation-database': 'none',
    '--max-time': String(seconds),
    '--max-examples': '20',
    '--seed': seed,
  };
  const url = `${started.manager.url}/api/v1/openapi.json`;
  const args = ['-m', 'schemathesis.cli', 'run', '--no-color', ...Object.entries(options).flat(), url];
  const { failed, printed } = await run(program, args);
  console.log(/\d+ generated.*/.exec(printed)?.[0] ?? printed);
  expect(printed).toMatch(/\d+ generated/);
  expect(failed, printed).toBe(false);
});

async function run(program: string, args: readonly string[]): Promise<{ failed: boolean; printed: string }> {
  // It keeps notes where it runs.
  const limits = { timeout: 170_000, maxBuffer: 64 * 1024 * 1024, cwd: directory };
  const { promise, resolve } = Promise.withResolvers<{ failed: boolean; printed: string }>();
  execFile(program, args, limits, (error, stdout, stderr) =>
    resolve({ failed: error !== null, printed: `${stdout}${stderr}` }),
  );
  return promise;
}

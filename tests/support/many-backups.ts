import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { resourceSchemas } from '../../src/api/resources.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import { isoTime, systemClock } from '../../src/lib/clock.ts';

const begin = Date.parse('2026-01-01T00:00:00.000Z');

/** Random numbers below 1 that are the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fills the catalog of a manager that does not run with backups of 1,000 services in 8 locations. */
export async function fillCatalog(stateDirectory: string, count: number, random: () => number): Promise<void> {
  const file = join(stateDirectory, 'catalog.sqlite');
  await (await openSqliteCatalog({ file, clock: systemClock }))[Symbol.asyncDispose]();
  const database = new DatabaseSync(file);
  database.exec('BEGIN');
  const insert = database.prepare(
    "INSERT INTO resources (kind, name, uid, version, created_at, spec, status) VALUES ('Backup', ?, ?, ?, ?, ?, ?)",
  );
  for (let number = 1; number <= count; number += 1) {
    const createdAt = isoTime(begin + number * 60_000);
    const { name, spec, status } = madeBackup(number, random);
    insert.run(name, `uid-${number}`, number, createdAt, JSON.stringify(spec), JSON.stringify(status));
  }
  database.prepare('UPDATE last_version SET version = ?').run(count);
  database.exec('COMMIT');
  database.close();
}

export const services = 1_000;
export const states = ['Succeeded', 'Succeeded', 'Succeeded', 'Failed', 'Cancelled'] as const;

function madeBackup(number: number, random: () => number) {
  const pick = <T>(values: readonly [T, ...T[]]): T => values[Math.floor(random() * values.length)] ?? values[0];
  const service = `service-${Math.floor(random() * services)}`;
  const location = `location-${Math.floor(random() * 8)}`;
  const name = `${service}-nightly-${number}`;
  const state = pick(states);
  const technology = pick(['MySQL', 'MariaDB', 'Percona Server']);
  const startedAt = isoTime(begin + number * 60_000);
  const endedAt = isoTime(begin + number * 60_000 + Math.floor(random() * 7_200_000));
  const id = `20260101T000000Z-${number.toString(16).padStart(8, '0')}`;
  const spec = { service, location, folder: service, retry: { mode: 'auto', retries: 3, intervalSeconds: 60 } };
  const attempts = [{ number: 1, startedAt, endedAt }];
  const common = { state, id, agent: service, technology, attempt: 1, attempts, startedAt, endedAt };
  const sealed = {
    result: {
      backup: id,
      attempt: 'a1',
      name,
      service,
      source: { vendor: technology, serverVersion: '8.4.6', lineage: 'a lineage', engine: 'xtrabackup' },
      startedAt,
      endedAt,
      sealedAt: endedAt,
      gtid: '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-1234567',
      toLsn: '123456789',
      files: 1_234,
      logicalBytes: Math.floor(random() * 1e12),
      storedBytes: Math.floor(random() * 1e11),
    },
    proof: { level: pick(['sealed', 'sealed', 'checked', 'proven']), at: endedAt },
  };
  return {
    name,
    spec: resourceSchemas.Backup.spec.parse(spec),
    status: resourceSchemas.Backup.status.parse(
      state === 'Succeeded'
        ? { ...common, retriesTaken: 0, isPinned: false, ...sealed }
        : { ...common, retriesTaken: 0, isPinned: false },
    ),
  };
}

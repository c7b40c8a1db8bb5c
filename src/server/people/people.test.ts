import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase, type SqliteDatabase } from '../../catalog/sqlite-database.ts';
import { peopleMigrations } from './people-database.ts';
import { People } from './people.ts';
import { Passwords } from './passwords.ts';

const hour = 3_600_000;
const address = '10.0.0.1';
let directory: string;
let database: SqliteDatabase;
let now: number;
const clock = { now: () => now, elapsed: () => now, sleep: async () => undefined };

beforeEach(async () => {
  now = 1_795_000_000_000;
  directory = await mkdtemp(join(tmpdir(), 'hf-people-'));
  database = await openDatabase({ file: join(directory, 'people.sqlite'), clock, migrations: peopleMigrations });
});
afterEach(async () => {
  database[Symbol.dispose]();
  await rm(directory, { recursive: true });
});

function people(): People {
  return new People({ database, clock, initialPasswordFile: join(directory, 'initial-password') });
}

async function withAdmin() {
  const made = people();
  const file = await made.ensureFirstUser();
  const password = (await readFile(file ?? '', 'utf8')).trim();
  const signIn = async () => made.signIn({ name: 'admin', password, address });
  const sessionOf = (session: string | undefined) => made.personOf({ authorization: undefined, session, address });
  return { made, file: file ?? '', password, signIn, sessionOf };
}

test('the first start makes an admin whose password only its owner can read, once', async () => {
  const { file, password, signIn } = await withAdmin();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(password).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
  expect((await signIn()).person).toMatchObject({ name: 'admin', role: 'admin' });
  expect(await people().ensureFirstUser()).toBe(file);
  expect((await readFile(file, 'utf8')).trim()).toBe(password);
});

test('nothing in the database tells a password, a session or a token', async () => {
  const { made, password, signIn } = await withAdmin();
  const { session } = await signIn();
  const token = made.tokens.create('ci', 'operator');
  database.use((raw) => raw.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  const bytes = await readFile(join(directory, 'people.sqlite'), 'latin1');
  for (const secret of [password, session, token]) expect(bytes).not.toContain(secret);
  expect(bytes).toContain('$argon2id$v=19$');
});

test('a wrong password, an unknown user and a wrong token are told alike', async () => {
  const { made, password } = await withAdmin();
  const tries = [
    { name: 'admin', password: `${password}x` },
    { name: 'nobody', password },
    { name: 'Admin', password },
  ];
  for (const each of tries)
    await expect(made.signIn({ ...each, address })).rejects.toMatchObject({ code: 'not-authorised' });
  expect(() => made.personOf({ authorization: 'Bearer hf_wrong', session: undefined, address })).toThrow(/not known/);
  expect(made.personOf({ authorization: undefined, session: undefined, address })).toBeUndefined();
});

test('whoever guesses passwords waits, also with the right one, and others do not', async () => {
  const { made, signIn, password } = await withAdmin();
  const guesses = Array.from({ length: 20 }, async () => made.signIn({ name: 'admin', password: 'guess', address }));
  const codes = (await Promise.allSettled(guesses)).map((each) =>
    each.status === 'rejected' ? each.reason.code : 'in',
  );
  expect(codes.filter((code) => code === 'not-authorised')).toHaveLength(5);
  expect(codes.filter((code) => code === 'too-many-failures')).toHaveLength(15);
  await expect(signIn()).rejects.toMatchObject({ code: 'too-many-failures' });
  await expect(made.signIn({ name: 'admin', password, address: '10.0.0.2' })).resolves.toBeDefined();
  now += 61_000;
  await expect(signIn()).resolves.toBeDefined();
});

test('signing in rightly again and again is no guessing', async () => {
  const { signIn } = await withAdmin();
  for (let count = 0; count < 8; count += 1) await expect(signIn()).resolves.toBeDefined();
});

test('a session ends after 12 hours without use and after 7 days with it', async () => {
  const { signIn, sessionOf } = await withAdmin();
  const [unused, used] = [await signIn(), await signIn()];
  now += 11 * hour;
  expect(sessionOf(used.session)).toBeDefined();
  now += hour;
  expect(sessionOf(unused.session)).toBeUndefined();
  for (let day = 0; day < 15; day += 1) {
    expect(sessionOf(used.session)?.name).toBe('admin');
    now += 11 * hour;
  }
  expect(sessionOf(used.session)).toBeUndefined();
});

test('signing out ends that session alone; a new password ends the others', async () => {
  const { made, signIn, sessionOf, password, file } = await withAdmin();
  const [first, second, third] = [await signIn(), await signIn(), await signIn()];
  made.signOut(first.person);
  expect([first, second, third].map(({ session }) => sessionOf(session) !== undefined)).toEqual([false, true, true]);
  expect(made.isStillThere(first.person)).toBe(false);
  const wrong = made.changePassword(second.person, { password: 'wrong', newPassword: 'a new password', address });
  await expect(wrong).rejects.toMatchObject({ code: 'not-authorised' });
  await made.changePassword(second.person, { password, newPassword: 'a new password', address });
  expect([second, third].map(({ session }) => sessionOf(session) !== undefined)).toEqual([true, false]);
  await expect(signIn()).rejects.toMatchObject({ code: 'not-authorised' });
  await expect(made.signIn({ name: 'admin', password: 'a new password', address })).resolves.toBeDefined();
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await people().ensureFirstUser()).toBeUndefined();
});

test('tokens work until they are revoked, and never change a password', async () => {
  const { made, password } = await withAdmin();
  const token = made.tokens.create('ci', 'operator');
  const asCi = () => made.personOf({ authorization: `Bearer ${token}`, session: undefined, address });
  const person = asCi();
  expect(person).toMatchObject({ name: 'ci', role: 'operator' });
  expect(made.tokens.list()).toMatchObject([{ name: 'ci', role: 'operator', lastUsedAt: expect.any(String) }]);
  expect(() => made.tokens.create('ci', 'admin')).toThrow(/already/);
  if (person === undefined) throw new Error('The token was not taken');
  const change = made.changePassword(person, { password, newPassword: 'a new password', address });
  await expect(change).rejects.toMatchObject({ code: 'not-allowed' });
  made.tokens.remove('ci');
  expect(asCi).toThrow(/not known/);
  expect(() => made.tokens.remove('ci')).toThrow(/none of that name/);
});

test('passwords are compared by what was typed, however its letters were composed', async () => {
  const passwords = new Passwords();
  const kept = await passwords.hash('cafe\u0301 con leche');
  expect(await passwords.isRight('caf\u00e9 con leche', kept)).toBe(true);
  expect(await passwords.isRight('cafe con leche', kept)).toBe(false);
  await expect(passwords.isRight('x', 'plain')).rejects.toMatchObject({ code: 'password-damaged' });
});

test('a flood of sign-ins does not take the memory', async () => {
  const passwords = new Passwords({ maximumWaiting: 4 });
  const flood = Array.from({ length: 80 }, async () => passwords.isRight('guess', undefined));
  const outcomes = await Promise.allSettled(flood);
  const refused = outcomes.filter((each) => each.status === 'rejected' && each.reason.code === 'too-many-sign-ins');
  expect(refused).toHaveLength(74);
  expect(outcomes.filter((each) => each.status === 'fulfilled' && !each.value)).toHaveLength(6);
});

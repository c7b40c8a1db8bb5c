import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerConnection } from '../../src/engine/engine.ts';
import { Sql } from '../../src/engine/sql.ts';

/**
 * Tables whose contents tell whether they are of one moment: money moves between accounts and is never made, and every
 * move is written down in the same transaction.
 */
export const makeLedger = `
  CREATE DATABASE app; USE app;
  CREATE TABLE accounts (id INT PRIMARY KEY, balance INT NOT NULL, moves INT NOT NULL, KEY (balance));
  INSERT INTO accounts SELECT seq, 1000, 0 FROM seq_1_to_2000;
  CREATE TABLE moves (id INT PRIMARY KEY AUTO_INCREMENT, source INT, target INT, amount INT);
  CREATE TABLE ballast (id INT PRIMARY KEY AUTO_INCREMENT, bytes BLOB);
  INSERT INTO ballast (bytes) SELECT CONCAT(
    ${Array.from({ length: 12 }, (_, part) => `UNHEX(SHA1(seq * ${part + 7}))`).join(', ')}) FROM seq_1_to_5000;`;

/** Answers `good` when no money was made or lost and every move is there. */
export const checkLedger = `
  SELECT IF((SELECT SUM(balance) FROM app.accounts) = 2000 * 1000
    AND (SELECT SUM(moves) FROM app.accounts) = 2 * (SELECT COUNT(*) FROM app.moves)
    AND (SELECT COUNT(*) FROM app.ballast) = 5000, 'good', 'torn')`;

/** Moves money, some dozens of times a second, until disposed of or the server is gone. */
export function keepMoving(server: ServerConnection, random: () => number): AsyncDisposable {
  const stop = new AbortController();
  const account = (): number => 1 + Math.floor(random() * 2000);
  const move = async (sql: Sql): Promise<void> => {
    const [source, target, amount] = [account(), account(), Math.floor(random() * 100)];
    await sql.query('START TRANSACTION');
    await sql.query(`UPDATE app.accounts SET balance = balance - ${amount}, moves = moves + 1 WHERE id = ${source}`);
    await sql.query(`UPDATE app.accounts SET balance = balance + ${amount}, moves = moves + 1 WHERE id = ${target}`);
    await sql.query(`INSERT INTO app.moves (source, target, amount) VALUES (${source}, ${target}, ${amount})`);
    await sql.query('COMMIT');
  };
  const loop = async (): Promise<void> => {
    await using sql = await Sql.connect(server, { signal: stop.signal });
    while (!stop.signal.aborted) {
      await move(sql);
      await sleep(10);
    }
  };
  // A server that is killed ends it; whether the server is there is for the test to know.
  const ended = loop().catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended;
    },
  };
}

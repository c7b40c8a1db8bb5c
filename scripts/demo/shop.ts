/** The sample data of the demo: a small shop, some 250 MB, made by the server itself from numbers. */

const word = (seed: string): string =>
  `ELT(1 + (${seed}) % 16, 'amber', 'birch', 'cobalt', 'delta', 'ember', 'fjord', 'granite', 'harbour', 'indigo', 'juniper', 'kelp', 'lichen', 'marsh', 'nettle', 'oak', 'pebble')`;

const sentence = (seed: string): string =>
  `CONCAT_WS(' ', ${[3, 7, 31, 127, 509, 2039, 8191, 32749].map((prime) => word(`${seed} * ${prime} DIV 11`)).join(', ')})`;

/** Statements to be run one after the other. */
export const buildShop: readonly string[] = [
  `CREATE DATABASE shop`,
  `CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(80), email VARCHAR(80), joined DATE, KEY (email)) ENGINE=InnoDB`,
  `CREATE TABLE shop.orders (id INT PRIMARY KEY, customer INT, placed DATETIME, state ENUM('open','paid','sent'), note VARCHAR(200), token BINARY(40), KEY (customer)) ENGINE=InnoDB`,
  `CREATE TABLE shop.lines (id INT PRIMARY KEY, order_id INT, article INT, amount SMALLINT, price DECIMAL(9,2), KEY (order_id)) ENGINE=InnoDB`,
  `CREATE TABLE shop.visits (day DATE, page VARCHAR(40), hits INT) ENGINE=MyISAM`,
  `CREATE TABLE shop.settings (name VARCHAR(40) PRIMARY KEY, value TEXT) ENGINE=Aria TRANSACTIONAL=1`,
  `INSERT INTO shop.customers SELECT seq, ${sentence('seq')}, CONCAT(MD5(seq), '@example.org'), '2020-01-01' + INTERVAL seq % 2000 DAY FROM mysql.seq_1_to_60000`,
  `INSERT INTO shop.orders SELECT seq, 1 + seq * 7919 % 60000, '2024-01-01' + INTERVAL seq MINUTE, 1 + seq % 3, ${sentence('seq')}, UNHEX(CONCAT(SHA1(seq), SHA1(-seq))) FROM mysql.seq_1_to_1200000`,
  `INSERT INTO shop.lines SELECT seq, 1 + seq DIV 3, seq * 31 % 9973, 1 + seq % 5, seq * 13 % 10000 / 100 FROM mysql.seq_1_to_2400000`,
  `INSERT INTO shop.visits SELECT '2025-01-01' + INTERVAL seq % 300 DAY, ${word('seq')}, seq % 1000 FROM mysql.seq_1_to_20000`,
  `INSERT INTO shop.settings VALUES ('currency', 'EUR'), ('greeting', 'Welcome back')`,
];

/** A day in the shop: the last orders are paid and sent, and new ones come in. */
export const aDayInTheShop: readonly string[] = [
  `UPDATE shop.orders SET state = 'sent', note = CONCAT('sent, ', LEFT(note, 180)) WHERE id > 1188000`,
  `INSERT INTO shop.orders SELECT 1200000 + seq, 1 + seq * 7919 % 60000, NOW(), 'open', ${sentence('seq')}, UNHEX(CONCAT(SHA1(seq), SHA1(-seq))) FROM mysql.seq_1_to_12000`,
  `INSERT INTO shop.visits VALUES (CURDATE(), 'front', 1234)`,
  `UPDATE shop.settings SET value = 'Good to see you again' WHERE name = 'greeting'`,
];

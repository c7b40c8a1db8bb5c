import { expect, test } from 'vitest';
import { describeServer } from './describe-server.ts';

test('a server is told as far as it is known', () => {
  const server = { isUp: true, vendor: 'MariaDB', version: '10.11.14-MariaDB-log' };
  expect(describeServer({ state: 'Connected', server })).toBe('MariaDB 10.11.14');
  expect(describeServer({ state: 'Connected', server: { ...server, isUp: false } })).toBe('MariaDB 10.11.14, down');
  expect(describeServer({ state: 'Connected', server: { isUp: true } })).toBe('a database server');
});

test('only an agent that is there can be said to have none', () => {
  expect(describeServer({ state: 'Connected' })).toBe('no database server');
  expect(describeServer({ state: 'Lost' })).toBe('not known');
});

import { expect, test } from 'vitest';
import { Failure } from '../lib/failure.ts';
import { Authenticator } from './authenticate.ts';

const token = 'a-token-that-nobody-guesses';

function authenticatorAt() {
  const clock = { now: 0, elapsed: () => clock.now };
  const authenticator = new Authenticator(token, clock);
  const codeOf = (header: string | undefined, address = '10.0.0.1'): string => {
    try {
      authenticator.check(header, address);
      return 'passed';
    } catch (error) {
      return error instanceof Failure ? error.code : 'unknown';
    }
  };
  return { clock, codeOf };
}

test('lets the token pass, however its scheme is written, and nothing else', () => {
  const { codeOf } = authenticatorAt();
  for (const header of [`Bearer ${token}`, `bearer  ${token} `]) expect(codeOf(header)).toBe('passed');
  const wrong = [undefined, '', token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(1)}`];
  for (const [index, header] of wrong.entries()) expect(codeOf(header, `10.0.1.${index}`)).toBe('not-authorised');
});

test('slows an address that guesses, for up to a minute, and never the token', () => {
  const { clock, codeOf } = authenticatorAt();
  for (let count = 0; count < 5; count++) expect(codeOf('Bearer wrong')).toBe('not-authorised');
  expect(codeOf('Bearer wrong')).toBe('too-many-failures');
  expect(codeOf(`Bearer ${token}`)).toBe('passed');
  expect(codeOf('Bearer wrong', '10.0.0.2')).toBe('not-authorised');
  let looked = 0;
  for (const end = 3_600_000; clock.now < end; clock.now += 500)
    if (codeOf('Bearer wrong') === 'not-authorised') looked += 1;
  expect(looked).toBeLessThan(70);
  clock.now += 700_000;
  expect(codeOf('Bearer wrong')).toBe('not-authorised');
});

test('keeps track of many addresses in little room', () => {
  const { codeOf } = authenticatorAt();
  for (let count = 0; count < 20_000; count++) codeOf('Bearer wrong', `address ${count}`);
  expect(codeOf('Bearer wrong', 'address 19999')).toBe('not-authorised');
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateMeter } from './rate-meter.ts';

function meterAt() {
  const clock = { now: 0, elapsed: () => clock.now };
  return { clock, meter: new RateMeter(clock) };
}

test('says nothing until it has seen enough', () => {
  const { clock, meter } = meterAt();
  expect([meter.ratePerSecond(), meter.etaSeconds(100)]).toEqual([undefined, undefined]);
  meter.add(0);
  clock.now = 2_900;
  meter.add(290);
  expect(meter.ratePerSecond()).toBeUndefined();
  clock.now = 4_000;
  meter.add(400);
  expect(meter.ratePerSecond()).toBe(100);
  expect(meter.etaSeconds(1_000)).toBe(6);
  expect(meter.etaSeconds(undefined)).toBeUndefined();
  expect(meter.etaSeconds(399)).toBeUndefined();
});

test('forgets what is older than half a minute, and shows a stall', () => {
  const { clock, meter } = meterAt();
  for (clock.now = 0; clock.now <= 60_000; clock.now += 1_000) meter.add(clock.now * 10);
  for (; clock.now <= 120_000; clock.now += 1_000) meter.add(600_000 + (clock.now - 60_000));
  expect(meter.ratePerSecond()).toBeCloseTo(1_000, -2);
  clock.now += 600_000;
  expect(meter.ratePerSecond()).toBeLessThan(100);
});

test('begins anew when the count does', () => {
  const { clock, meter } = meterAt();
  meter.add(1_000_000);
  clock.now = 10_000;
  meter.add(10);
  clock.now = 14_000;
  meter.add(4_010);
  expect(meter.ratePerSecond()).toBe(1_000);
});

test('is never negative or infinite, and keeps few samples, whatever comes', () => {
  const step = fc.record({ ms: fc.integer({ min: 0, max: 20_000 }), bytes: fc.integer({ min: -1_000, max: 1e12 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(1e12), (steps, expected) => {
      const { clock, meter } = meterAt();
      let bytes = 0;
      for (const each of steps) {
        clock.now += each.ms;
        bytes = Math.max(0, bytes + each.bytes);
        meter.add(bytes);
        const rate = meter.ratePerSecond() ?? 0;
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(rate)).toBe(true);
        expect(meter.etaSeconds(expected) ?? 0).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

import { expect, it } from 'vitest';
import { type Instant, milliseconds } from '../../lib/time/instant';
import { Quota } from '../../lib/time/quota';

it('gives so many in an interval, which begins with the first', () => {
  const quota = new Quota(2, milliseconds(10));
  const given = [0, 3, 4, 9.9, 10, 11, 12, 100].map((now) => quota.take(now as Instant));
  expect(given).toEqual([true, true, false, false, true, true, false, true]);
  expect(quota.renewsAt).toBe(110);
});

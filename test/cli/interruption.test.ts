// The first signal is for an end in good order, and the second for an end.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { INTERRUPTED_EXIT_CODE, interruption, onInterrupt, unlessAborted } from '../../lib/cli/interruption';

/** As the real one, it does not come back. */
const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
  throw new Error('over');
});

afterEach(() => {
  exit.mockClear();
  process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
});

describe('onInterrupt', () => {
  it.each([
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
  ] as const)('%s and then %s', (first, second) => {
    const told = vi.fn();
    onInterrupt(told);
    process.emit(first);
    expect([told.mock.calls.length, exit.mock.calls]).toEqual([1, []]);
    expect(() => process.emit(second)).toThrow('over');
    expect([told.mock.calls.length, exit.mock.calls]).toEqual([1, [[INTERRUPTED_EXIT_CODE]]]);
  });

  it('can be taken back', () => {
    const told = vi.fn();
    onInterrupt(told)();
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual([0, 0]);
    expect(told).not.toHaveBeenCalled();
  });
});

describe('unlessAborted', () => {
  it('gives what comes before the signal, and nothing behind it', async () => {
    const signal = interruption();
    expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
    const late = unlessAborted(new Promise<number>(() => {}), signal);
    process.emit('SIGTERM');
    expect(await late).toBeUndefined();
    expect(await unlessAborted(new Promise<number>(() => {}), signal)).toBeUndefined();
  });
});

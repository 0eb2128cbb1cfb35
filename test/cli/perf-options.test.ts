// What `serval perf client` accepts: numbers, bounds, defaults; and what a server accepts of what came over the wire.

import { describe, expect, it } from 'vitest';
import { checkOptions, parseNumber } from '../../lib/cli/perf/client-options';
import { bytesOfStream, checkParameters, type TestParameters } from '../../lib/cli/perf/test-parameters';

const plain: TestParameters = {
  transport: 'stream',
  reverse: false,
  streams: 1,
  seconds: 10,
  bytes: null,
  rate: null,
  length: 131_072,
};

describe('numbers', () => {
  it.each([
    ['0', 0],
    ['1500', 1500],
    ['0.5', 0.5],
    ['10k', 10_000],
    ['1.001K', 1001],
    ['2.5M', 2_500_000],
    ['10G', 10e9],
    ['1T', 1e12],
  ])('%s', (text, value) => expect(parseNumber(text)).toBe(value));

  it.each(['', '-1', '1e9', '0x10', '1 k', 'k', '1kk', '1.', '.5', 'NaN', 'Infinity', '1,5'])('not %j', (text) =>
    expect(parseNumber(text)).toBeNaN(),
  );
});

describe('options of the client', () => {
  it('have defaults, which differ for datagrams', () => {
    expect(checkOptions({})).toEqual({ parameters: plain, interval: 1 });
    expect(checkOptions({ datagram: true }).parameters).toEqual({
      ...plain,
      transport: 'datagram',
      rate: 10e6,
      length: 1200,
    });
  });

  it('become parameters', () => {
    const options = { parallel: '4', time: '2.5', rate: '100M', length: '8k', reverse: true, interval: '0.5' };
    const parameters = { ...plain, streams: 4, seconds: 2.5, rate: 100e6, length: 8000, reverse: true };
    expect(checkOptions(options)).toEqual({ parameters, interval: 0.5 });
  });

  it('bytes take the place of time, and time bounds them still', () => {
    expect(checkOptions({ bytes: '1G' }).parameters).toMatchObject({ bytes: 1e9, seconds: 3600 });
    expect(() => checkOptions({ bytes: '1G', time: '1' })).toThrow('--time and --bytes exclude each other');
  });

  it.each([
    [{ parallel: '0' }, '--parallel must be a whole number from 1 to 128, not "0"'],
    [{ parallel: '129' }, '--parallel must be a whole number from 1 to 128, not "129"'],
    [{ parallel: '1.5' }, '--parallel must be a whole number from 1 to 128, not "1.5"'],
    [{ time: '0' }, '--time must be a number from 0.1 to 3600, not "0"'],
    [{ time: '3601' }, '--time must be a number from 0.1 to 3600, not "3601"'],
    [{ time: 'long' }, '--time must be a number from 0.1 to 3600, not "long"'],
    [{ bytes: '0' }, '--bytes must be a whole number from 1 to 1000000000000000, not "0"'],
    [{ rate: '999' }, '--rate must be a whole number from 1000 to 10000000000, not "999"'],
    [{ rate: '11G' }, '--rate must be a whole number from 1000 to 10000000000, not "11G"'],
    [{ length: '0' }, '--length must be a whole number from 1 to 1048576, not "0"'],
    [{ length: '35', datagram: true }, '--length must be a whole number from 36 to 64900, not "35"'],
    [{ length: '64901', datagram: true }, '--length must be a whole number from 36 to 64900, not "64901"'],
    [{ interval: '0' }, '--interval must be a number from 0.1 to 60, not "0"'],
    [{ rate: '6G', parallel: '2', datagram: true }, 'rate times streams must be at most 10000000000 bits a second'],
  ])('%j: %s', (options, message) => {
    expect(() => checkOptions(options)).toThrow(expect.objectContaining({ code: 'PERF_OPTION', message }));
  });
});

describe('parameters that came over the wire', () => {
  it('are taken as they are when they are in bounds, without what nobody knows', () => {
    const datagrams = { ...plain, transport: 'datagram', rate: 1000, length: 36 };
    expect(checkParameters(plain)).toEqual(plain);
    expect(checkParameters({ ...datagrams, extra: 1 })).toEqual(datagrams);
  });

  it.each([
    null,
    'text',
    [],
    { ...plain, transport: 'carrier pigeon' },
    { ...plain, reverse: 1 },
    { ...plain, streams: 129 },
    { ...plain, streams: '1' },
    { ...plain, seconds: Number.NaN },
    { ...plain, seconds: 1e9 },
    { ...plain, seconds: undefined },
    { ...plain, bytes: -1 },
    { ...plain, rate: 1e12 },
    { ...plain, length: 2 ** 40 },
    { ...plain, transport: 'datagram', rate: null, length: 1200 },
    { ...plain, transport: 'datagram', rate: 1e9, streams: 100, length: 1200 },
  ])('%j is refused', (value) => {
    expect(() => checkParameters(value)).toThrow(expect.objectContaining({ code: 'PERF_PARAMETER' }));
  });
});

it('bytes are shared among the streams, to the last', () => {
  const shares = [0, 1, 2].map((index) => bytesOfStream({ ...plain, streams: 3, bytes: 11 }, index));
  expect(shares).toEqual([4, 4, 3]);
  expect(bytesOfStream(plain, 0)).toBe(Number.POSITIVE_INFINITY);
});

// Amounts as a person reads them: three or four digits and a unit. Prefixes are powers of 1000 throughout.

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

export const formatBytes = (bytes: number): string => scaled(bytes, 'B');
export const formatRate = (bitsPerSecond: number): string => scaled(bitsPerSecond, 'bit/s');
export const formatMilliseconds = (milliseconds: number): string => `${digits(milliseconds)} ms`;
export const formatPercent = (fraction: number): string => `${digits(fraction * 100)} %`;

function scaled(value: number, unit: string): string {
  let [shown, index] = [value, 0];
  // 999.96 k would be written 1000 k.
  while (Math.abs(shown) >= 999.5 && index < PREFIXES.length - 1) {
    shown /= 1000;
    index++;
  }
  return index === 0 ? `${Math.round(shown)} ${unit}` : `${digits(shown)} ${PREFIXES[index]}${unit}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toFixed(0);
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

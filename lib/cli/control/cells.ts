// The texts of single cells.

import type { Entry } from '../../control/control-client';

/** A name where one is known; else the digits that count. */
export function serviceText({ name, prefix, serviceID }: Entry): string {
  if (typeof name === 'string') return name;
  const text = prefix ?? (serviceID === undefined || serviceID === null ? '' : `${serviceID}/256`);
  return shortPrefix(String(text));
}

/** `HEX/bits` without the zeros at its end: it may be written so wherever a name is asked for. */
function shortPrefix(text: string): string {
  const [hex = '', bits] = text.split('/');
  if (bits === '0') return '*';
  const shown = hex.replace(/0+$/, '');
  return bits === undefined ? text : `${shown === '' ? '0' : shown}/${bits}`;
}

export function text(value: unknown): string {
  return value === undefined || value === null ? '-' : String(value);
}

/** 12, 1.2k, 3.4M: three digits and a unit. */
export function countText(value: unknown): string {
  if (typeof value !== 'number') return '-';
  if (value < 10_000) return String(Math.round(value));
  const [divisor, unit] = value < 1e6 ? [1e3, 'k'] : value < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  const scaled = value / divisor;
  return `${scaled < 99.95 ? scaled.toFixed(1) : scaled.toFixed(0)}${unit}`;
}

export function millisecondsText(value: unknown): string {
  if (typeof value !== 'number') return '-';
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

/** Of a duration in seconds: 5 s, 3 min, 2 h, 4 d. */
export function durationText(value: unknown): string {
  if (typeof value !== 'number') return '-';
  if (value < 120) return `${value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  return value < 172_800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86_400)} d`;
}

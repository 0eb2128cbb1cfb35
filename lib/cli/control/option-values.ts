// Numbers among the arguments of commands: what is none, or is out of bounds, is told with the usage.

import { InvalidArgumentError } from 'commander';

export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}

/** Seconds, with fraction. */
export function secondsWithin(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be seconds from ${minimum} to ${maximum}.`);
  };
}

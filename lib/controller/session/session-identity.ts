// Who speaks in a controller session: one run of one host, told from every other by chance.

import type { RandomSource } from '../../time/random-source';
import { SESSION_IDENTITY_DIGITS } from './session-limits';

export function randomIdentity(random: RandomSource): string {
  let digits = '';
  while (digits.length < SESSION_IDENTITY_DIGITS) digits += random.uint32().toString(16).padStart(8, '0');
  return digits;
}

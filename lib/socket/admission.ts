// How many of the first packets for its service a listening socket asks for: its weight, less what it reports to be
// loaded, and none while it has as many connections as it wants. It decides; the socket tells its handle.

import { INSTANCE_WEIGHT, LOAD_STEPS, READMISSION_PART, WEIGHT_MAXIMUM } from '../limits';
import { checkNumber } from './argument-checks';
import { outOfRange } from './node-error';

export class Admission {
  /** 1 is the usual instance's; 0 takes no first packets. */
  private asked = 1;
  /** What part of it is used, 0 to 1. */
  private load = 0;
  private limit: number | undefined;
  private isFull = false;

  get weight(): number {
    return this.asked;
  }

  /** Throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE. */
  set weight(value: unknown) {
    checkWeight(value, 'weight');
    this.asked = value;
  }

  get maximum(): number | undefined {
    return this.limit;
  }

  get isWithdrawn(): boolean {
    return this.isFull || this.asked === 0;
  }

  /** What the host is to be told, in the tables' units; 0 while it is withdrawn. */
  get share(): number {
    if (this.isWithdrawn) return 0;
    const free = (LOAD_STEPS - Math.round(this.load * LOAD_STEPS)) / LOAD_STEPS;
    return Math.max(1, Math.round(this.asked * INSTANCE_WEIGHT * free));
  }

  /** With `maximum` connections it is full at once, and with less it is not. */
  setMaximum(maximum: number | undefined, connections: number): void {
    this.limit = maximum;
    this.isFull = maximum !== undefined && connections >= maximum;
  }

  /** Throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE. */
  setLoad(fraction: unknown): void {
    checkNumber(fraction, 'fraction');
    if (!(fraction >= 0 && fraction <= 1)) throw outOfRange('fraction', '>= 0 && <= 1', fraction);
    this.load = fraction;
  }

  /** So many are open now. Full, it comes back when some places are free again, not with each one. */
  noteConnections(connections: number): void {
    const { limit } = this;
    if (limit === undefined) return;
    if (connections >= limit) this.isFull = true;
    else if (connections <= limit - Math.max(1, Math.ceil(limit * READMISSION_PART))) this.isFull = false;
  }

  /** Connections that may still come. */
  places(connections: number): number {
    return this.limit === undefined ? Number.POSITIVE_INFINITY : Math.max(0, this.limit - connections);
  }
}

export function checkWeight(value: unknown, name: string): asserts value is number {
  checkNumber(value, name);
  if (!(value >= 0 && value <= WEIGHT_MAXIMUM)) throw outOfRange(name, `>= 0 && <= ${WEIGHT_MAXIMUM}`, value);
}

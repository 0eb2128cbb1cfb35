// A ping as whoever asked for it sees it: a promise, kept when the stack tells how it ended.

import type { ServalErrorContext } from '../errors';
import type { Ping, PingAnswer } from '../sal/signaling/ping';
import type { ServiceID } from '../wire/service-id';
import { flowError } from './failures';
import { Reference } from './reference';
import type { StackDriver } from './stack-driver';

export class PingHandle {
  readonly answer: Promise<PingAnswer>;
  private readonly reference: Reference;
  private resolve!: (answer: PingAnswer) => void;
  private reject!: (error: Error) => void;

  constructor(
    driver: StackDriver,
    private readonly ping: Ping,
    private readonly target: ServiceID,
  ) {
    ping.handle = this;
    this.reference = new Reference(driver.references);
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  dispatch(): void {
    this.reference.end();
    const { answer, failure } = this.ping;
    if (answer !== undefined) return this.resolve(answer);
    const context: ServalErrorContext = { syscall: 'ping', serviceID: this.target.toString() };
    this.reject(flowError(failure!, context));
  }
}

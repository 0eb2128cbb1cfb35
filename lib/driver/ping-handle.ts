// A ping as whoever asked for it sees it: a promise, kept when the stack tells how it ended.

import type { ServalErrorContext } from '../errors';
import type { Ping, PingAnswer } from '../sal/signaling/ping';
import type { ServiceID } from '../wire/service-id';
import { flowError } from './failures';
import { Reference } from './reference';
import type { StackDriver } from './stack-driver';

export class PingHandle {
  /** However it ends. */
  readonly ended: Promise<Ping>;
  private readonly reference: Reference;
  private resolve!: (ping: Ping) => void;

  constructor(
    driver: StackDriver,
    private readonly ping: Ping,
  ) {
    ping.handle = this;
    this.reference = new Reference(driver.references);
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  dispatch(): void {
    this.reference.end();
    this.resolve(this.ping);
  }
}

/** Throws a `ServalError` as a connect fails. */
export function answerOf({ answer, failure }: Ping, target: ServiceID): PingAnswer {
  if (answer !== undefined) return answer;
  const context: ServalErrorContext = { syscall: 'ping', serviceID: target.toString() };
  throw flowError(failure!, context);
}

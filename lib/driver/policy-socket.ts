// A datagram socket for a policy that talks to its like on other hosts. It is bound to a well-known serviceID that is
// registered nowhere, does not keep the process alive, and sends either by the service table or straight to an address.

import type { ServiceController } from '../controller/service-controller';
import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';
import type { DatagramWay } from '../stack/datagram-endpoint';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import { type ServiceID, ServicePrefix } from '../wire/service-id';
import { DatagramHandleOverStack } from './datagram-handle';
import type { StackDriver } from './stack-driver';

export interface PolicyMessage {
  readonly bytes: Uint8Array;
  readonly to: ServiceID;
  /** Straight there, by that link, without asking the service table. */
  readonly at?: { readonly address: NetworkAddress; readonly link: number };
}

export interface PolicySource {
  readonly address: NetworkAddress;
  readonly link: number;
  readonly way: DatagramWay;
}

export interface TalkingPolicy extends ServiceController {
  /** The serviceID it is spoken to by, and speaks as. */
  readonly serviceID: ServiceID;
  handleMessage(bytes: Uint8Array, from: PolicySource, now: Instant): void;
  /** The next message, oldest first; drain it after every input, behind the commands. */
  pollMessage(): PolicyMessage | undefined;
}

export class PolicySocket implements ServiceController {
  private readonly handle: DatagramHandleOverStack;

  /** Throws when a socket of this process has the policy's serviceID. */
  constructor(
    private readonly policy: TalkingPolicy,
    private readonly driver: StackDriver,
  ) {
    const prefix = ServicePrefix.of(policy.serviceID);
    const endpoint = driver.stack.openDatagram(prefix, driver.now(), undefined, false);
    if (endpoint === undefined) throw new Error(`a socket of this process has ${policy.serviceID}`);
    this.handle = new DatagramHandleOverStack(driver, endpoint, {
      message: (bytes, { address, link = 0, way = 'direct' }) => this.handleMessage(bytes, { address, link, way }),
      connected: () => {},
      failed: () => {},
      closed: () => {},
    });
    this.handle.unref();
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    this.policy.handleEvent(event, now);
  }

  nextDeadline(): Instant {
    return this.policy.nextDeadline!();
  }

  handleDeadline(now: Instant): void {
    this.policy.handleDeadline!(now);
  }

  /** Messages follow the commands: whoever is told something may ask at once. */
  pollCommand(): ServiceCommand | undefined {
    const command = this.policy.pollCommand();
    if (command === undefined) this.send();
    return command;
  }

  close(): void {
    this.handle.close();
  }

  private handleMessage(bytes: Uint8Array, from: PolicySource): void {
    this.policy.handleMessage(bytes, from, this.driver.now());
    this.driver.runControllers();
  }

  private send(): void {
    for (let message = this.policy.pollMessage(); message; message = this.policy.pollMessage()) {
      const { bytes, to, at } = message;
      // What does not leave is as good as lost on the way: the policy repeats what matters.
      this.handle.send(bytes, at === undefined ? to : { serviceID: to, ...at });
    }
  }
}

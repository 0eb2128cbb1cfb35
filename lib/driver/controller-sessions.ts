// Opens and accepts the channels of controller sessions on a driven stack, a real host's and a simulated one's alike.

import { CONTROLLER_PREFIX, CONTROLLER_SERVICE } from '../controller/controller-service';
import type { Registrar } from '../controller/session/registrar';
import type { ChannelObserver, SessionChannel } from '../controller/session/session-channel';
import type { Duration } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import { type ListenerHandle, SILENT_OBSERVER, type SocketHost, type StreamHandle } from './handles';
import type { StackDriver } from './stack-driver';
import { type ChannelContext, StreamChannel } from './stream-channel';

export interface ControllerSessionsOptions {
  readonly driver: StackDriver;
  readonly sockets: Pick<SocketHost, 'connect' | 'listen'>;
  /** UDP port that flows leave from; 0 on a link without ports. */
  readonly dataPort: () => number;
}

export class ControllerSessions {
  private readonly context: ChannelContext;

  constructor(private readonly options: ControllerSessionsOptions) {
    const { driver } = options;
    this.context = { now: () => driver.now(), settle: () => driver.runControllers() };
  }

  /** To the controller of a router at one of these addresses: straight there, or a router would find its own. */
  open(via: readonly NetworkAddress[], timeout: Duration, observer: ChannelObserver): SessionChannel {
    const handle = this.options.sockets.connect(CONTROLLER_SERVICE, { via, timeout }, SILENT_OBSERVER);
    return this.channelOver(handle, observer);
  }

  /** Takes sessions from below. The listener keeps its process alive: it is there for others. */
  listen(registrar: Registrar): ListenerHandle {
    return this.options.sockets.listen(
      CONTROLLER_PREFIX,
      {},
      { connection: (handle) => this.accept(handle, registrar) },
    );
  }

  private accept(handle: StreamHandle, registrar: Registrar): void {
    const late: { observer?: ChannelObserver | undefined } = {};
    const channel = this.channelOver(handle, {
      opened: (now) => late.observer?.opened(now),
      lines: (lines, now) => late.observer?.lines(lines, now),
      closed: (now, isRefused) => late.observer?.closed(now, isRefused),
    });
    late.observer = registrar.accept(channel, this.options.driver.now());
    if (late.observer === undefined) channel.reset();
  }

  private channelOver(handle: StreamHandle, observer: ChannelObserver): SessionChannel {
    const channel = new StreamChannel(handle, observer, this.options.dataPort(), this.context);
    handle.setObserver(channel);
    return channel;
  }
}

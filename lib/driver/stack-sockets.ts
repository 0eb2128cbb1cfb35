// The `SocketHost` that sockets are given, over a driven stack.

import { ErrorCode, ServalError } from '../errors';
import type { Ping, PingAnswer, TraceAnswer } from '../sal/signaling/ping';
import type { PingOptions as StackPingOptions } from '../stack/connect-options';
import type { ConnectionState } from '../stack/handoff';
import { milliseconds } from '../time/instant';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { DatagramHandleOverStack } from './datagram-handle';
import type {
  ConnectOptions,
  DatagramObserver,
  ListenerObserver,
  ListenOptions,
  PingOptions,
  SocketHost,
  StreamHandle,
  StreamObserver,
} from './handles';
import { ListenerHandleOverStack } from './listener-handle';
import { answerOf, PingHandle } from './ping-handle';
import type { StackDriver } from './stack-driver';
import { StreamHandleOverStack } from './stream-handle';
import { trace } from './trace';

export class StackSockets implements SocketHost {
  constructor(
    private readonly driver: StackDriver,
    readonly ready: Promise<void>,
  ) {}

  connect(target: ServiceID, options: ConnectOptions, observer: StreamObserver): StreamHandle {
    const { timeout, sendBuffer, receiveBuffer, via, multipath } = options;
    const streamOptions = {
      timeout: timeout === undefined ? undefined : milliseconds(timeout),
      sendBuffer,
      receiveBuffer,
      via,
      multipath,
    };
    const connection = this.driver.stack.connect(target, streamOptions, this.driver.now());
    const handle = new StreamHandleOverStack(this.driver, connection);
    handle.setObserver(observer);
    this.driver.requestDrain();
    return handle;
  }

  adopt(state: ConnectionState, observer: StreamObserver): StreamHandle {
    const connection = this.driver.stack.adopt(state, {}, this.driver.now());
    if (connection === undefined) {
      throw new ServalError(ErrorCode.serviceInUse, `adopt ${ErrorCode.serviceInUse} the connection is here already`, {
        syscall: 'adopt',
      });
    }
    const handle = new StreamHandleOverStack(this.driver, connection);
    handle.setObserver(observer);
    this.driver.requestDrain();
    return handle;
  }

  listen(prefix: ServicePrefix, options: ListenOptions, observer: ListenerObserver): ListenerHandleOverStack {
    const listener = this.driver.stack.listen(prefix, options, this.driver.now());
    if (listener === undefined) throw inUse('listen', prefix);
    this.driver.requestDrain();
    return new ListenerHandleOverStack(this.driver, listener, observer);
  }

  /** Asks which instance takes connections now, how far it is, and by which routers; its application sees nothing. */
  async ping(target: ServiceID, options: PingOptions = {}): Promise<PingAnswer> {
    return answerOf(await this.startPing(target, stackOptions(options)), target);
  }

  /** The same, and how far each router on the way is. */
  trace(target: ServiceID, options: PingOptions = {}): Promise<TraceAnswer> {
    return trace((each) => this.startPing(target, each), target, stackOptions(options));
  }

  openDatagram(prefix: ServicePrefix | undefined, observer: DatagramObserver): DatagramHandleOverStack {
    const endpoint = this.driver.stack.openDatagram(prefix, this.driver.now());
    if (endpoint === undefined) throw inUse('bind', prefix!);
    this.driver.requestDrain();
    return new DatagramHandleOverStack(this.driver, endpoint, observer);
  }

  private startPing(target: ServiceID, options: StackPingOptions): Promise<Ping> {
    const handle = new PingHandle(this.driver, this.driver.stack.ping(target, options, this.driver.now()));
    this.driver.requestDrain();
    return handle.ended;
  }
}

function stackOptions({ timeout, via, transport = 'stream' }: PingOptions): StackPingOptions {
  const protocol = transport === 'stream' ? 6 : 17;
  return { timeout: timeout === undefined ? undefined : milliseconds(timeout), via, protocol };
}

function inUse(syscall: string, prefix: ServicePrefix): ServalError {
  const code = ErrorCode.serviceInUse;
  return new ServalError(code, `${syscall} ${code} a socket of this process has ${prefix}`, {
    syscall,
    serviceID: prefix.toString(),
  });
}

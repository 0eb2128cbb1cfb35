// A SocketHost in memory: the services of one little world, with failures to order. Nothing is delivered
// inside of a call, as with a real host.

import { randomBytes } from 'node:crypto';
import {
  type ConnectOptions,
  type DatagramHandle,
  type DatagramObserver,
  type ListenerHandle,
  type ListenerObserver,
  type ListenOptions,
  SILENT_OBSERVER,
  type SocketHost,
  type StreamHandle,
  type StreamObserver,
} from '../../lib/driver/handles';
import { ErrorCode, ServalError } from '../../lib/errors';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { MemoryDatagram } from './memory-datagram';
import { address, MemoryStream, type MemoryStreamOptions } from './memory-stream';

interface Listener {
  readonly prefix: ServicePrefix;
  readonly options: ListenOptions;
  readonly observer: ListenerObserver;
}

const BUFFER = 64 * 1024;

export class MemoryHost implements SocketHost {
  readonly ready = Promise.resolve();
  /** Every stream made so far, the connecting end before the accepting one. */
  readonly streams: MemoryStream[] = [];
  readonly listenOptions: ListenOptions[] = [];
  readonly connectOptions: ConnectOptions[] = [];
  /** ServiceIDs that never answer. */
  readonly silent = new Set<string>();
  /** Thrown by the next call of `connect`, `listen` or `openDatagram`. */
  nextThrow: Error | undefined;
  /** Whether listeners that are closed from now on have handshakes under way. */
  hasHandshakes = false;
  handshakesReset = 0;
  private readonly finishing: Listener[] = [];
  /** What listeners were told, one behind the other. Here it has no effect. */
  readonly weights: number[] = [];
  readonly places: number[] = [];
  readonly datagrams = new Set<MemoryDatagram>();
  private readonly listeners = new Map<string, Listener>();
  private nextPort = 50000;

  connect(target: ServiceID, options: ConnectOptions, observer: StreamObserver): StreamHandle {
    this.throwIfOrdered();
    this.connectOptions.push(options);
    const ours = address(1, this.nextPort++);
    const client = new MemoryStream(observer, randomServiceID(), target, ours, address(2, 54325), buffers(options));
    this.streams.push(client);
    setImmediate(() => this.settle(client, target, options));
    return client;
  }

  listen(prefix: ServicePrefix, options: ListenOptions, observer: ListenerObserver): ListenerHandle {
    this.throwIfOrdered();
    const key = prefix.toString();
    if (this.listeners.has(key)) throw new ServalError(ErrorCode.serviceInUse, 'taken');
    this.listenOptions.push(options);
    this.listeners.set(key, { prefix, options, observer });
    const close = () => {
      if (this.listeners.get(key)?.observer === observer) this.listeners.delete(key);
    };
    return {
      prefix,
      setWeight: (weight) => void this.weights.push(weight),
      setPlaces: (places) => void this.places.push(places),
      finish: () => {
        close();
        if (!this.hasHandshakes) return true;
        this.finishing.push({ prefix, options, observer });
        return false;
      },
      close: () => {
        close();
        this.handshakesReset++;
      },
    };
  }

  openDatagram(prefix: ServicePrefix | undefined, observer: DatagramObserver): DatagramHandle {
    this.throwIfOrdered();
    const bound = prefix ?? ServicePrefix.of(randomServiceID());
    for (const other of this.datagrams) {
      if (other.prefix.equals(bound)) throw new ServalError(ErrorCode.serviceInUse, 'taken');
    }
    const datagram = new MemoryDatagram(this, bound, observer, address(1, this.nextPort++));
    this.datagrams.add(datagram);
    return datagram;
  }

  /** The handshakes that were under way when their listeners were closed are over, `connects` with a connection each. */
  finishHandshakes(connects = false): void {
    for (const listener of this.finishing.splice(0)) {
      const { base } = listener.prefix;
      const client = new MemoryStream(SILENT_OBSERVER, undefined, base, address(1, 1), address(2, 2), buffers({}));
      if (connects) this.meet(client, base, listener);
      listener.observer.finished?.();
    }
  }

  private settle(client: MemoryStream, target: ServiceID, options: ConnectOptions): void {
    if (client.isGivenUp) return;
    if (this.silent.has(target.toString())) {
      const error = new ServalError(ErrorCode.timedOut, 'nobody answered');
      setTimeout(() => client.fail(error), options.timeout ?? 20);
      return;
    }
    const listener = this.longestMatch(target);
    if (listener === undefined) {
      client.fail(new ServalError(ErrorCode.connectionRefused, 'no such service'));
      return;
    }
    this.meet(client, target, listener);
    client.connected();
  }

  private meet(client: MemoryStream, target: ServiceID, listener: Listener): void {
    const server = new MemoryStream(
      NOT_YET,
      target,
      client.localServiceID,
      address(2, 54325),
      client.localAddress,
      buffers(listener.options),
    );
    this.streams.push(server);
    server.peer = client;
    client.peer = server;
    listener.observer.connection(server);
  }

  private longestMatch(target: ServiceID): Listener | undefined {
    let best: Listener | undefined;
    for (const listener of this.listeners.values()) {
      if (listener.prefix.contains(target) && (best?.prefix.bits ?? -1) < listener.prefix.bits) best = listener;
    }
    return best;
  }

  private throwIfOrdered(): void {
    const error = this.nextThrow;
    this.nextThrow = undefined;
    if (error !== undefined) throw error;
  }
}

function buffers(options: {
  sendBuffer?: number | undefined;
  receiveBuffer?: number | undefined;
}): MemoryStreamOptions {
  return { sendBuffer: options.sendBuffer ?? BUFFER, receiveBuffer: options.receiveBuffer ?? BUFFER };
}

function randomServiceID(): ServiceID {
  return ServiceID.fromBytes(randomBytes(32));
}

const fail = (): never => {
  throw new Error('a call came before the listener had set an observer');
};
const NOT_YET: StreamObserver = {
  connected: fail,
  data: fail,
  ended: fail,
  writable: fail,
  finished: fail,
  failed: fail,
  closed: fail,
};

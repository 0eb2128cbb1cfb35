// An open connection as bytes, on its way from one process to another: JSON, with what was sent and not acknowledged and
// what was received and not read in base64. What comes in is what it must be, or is refused.

import type { HandedOver } from '../driver/handles';
import { controlSequence } from '../wire/control-extension';
import { flowID } from '../wire/flow-id';
import { NetworkAddress } from '../wire/network-address';
import { ServiceID } from '../wire/service-id';
import { invalidArgumentType, invalidArgumentValue } from './node-error';

/** Raised when an older process could not follow. */
const VERSION = 1;
/** Of one connection: buffers of both directions at their largest, in base64, and its numbers. */
const STATE_BYTES_MAXIMUM = 256 * 1024 * 1024;

export function formatHandoff({ connection, unread }: HandedOver): Buffer {
  const { local, remote, flow, stream } = connection;
  return Buffer.from(
    JSON.stringify({
      version: VERSION,
      local: local?.toString(),
      remote: remote?.toString(),
      flow: { ...flow, remote: addressFields(flow.remote), service: flow.service?.toString() },
      stream: { ...stream, unacknowledged: Buffer.from(stream.unacknowledged).toString('base64') },
      unread: Buffer.from(unread).toString('base64'),
    }),
  );
}

/** Throws a TypeError ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE for what `formatHandoff` has not made. */
export function parseHandoff(state: unknown): HandedOver {
  if (!(state instanceof Uint8Array)) throw invalidArgumentType('state', 'an instance of Buffer or Uint8Array', state);
  try {
    if (state.length > STATE_BYTES_MAXIMUM) throw new RangeError('it is too long');
    return handedOverOf(new Reader(JSON.parse(Buffer.from(state.buffer, state.byteOffset, state.length).toString())));
  } catch (error) {
    throw invalidArgumentValue('state', STATE, `is not what handoff() gave: ${(error as Error).message}`);
  }
}

function handedOverOf(fields: Reader): HandedOver {
  if (fields.integer('version', 0, 2 ** 31) !== VERSION) throw new RangeError(`version ${VERSION} is understood here`);
  const [flow, stream] = [fields.object('flow'), fields.object('stream')];
  return {
    connection: {
      local: fields.serviceID('local'),
      remote: fields.serviceID('remote'),
      flow: {
        localFlowID: flowID(flow.word('localFlowID', 1)),
        remoteFlowID: flowID(flow.word('remoteFlowID', 1)),
        localNonce: flow.nonce('localNonce'),
        remoteNonce: flow.nonce('remoteNonce'),
        sendNext: controlSequence(flow.word('sendNext')),
        receiveNext: controlSequence(flow.word('receiveNext')),
        remote: flow.address('remote'),
        service: flow.serviceID('service'),
      },
      stream: {
        localSequence: stream.word('localSequence'),
        peerSequence: stream.word('peerSequence'),
        localWindowShift: stream.integer('localWindowShift', 0, 14),
        peerWindowShift: stream.integer('peerWindowShift', 0, 14),
        peerMaximumSegment: stream.integer('peerMaximumSegment', 1, 65_535),
        selective: stream.boolean('selective'),
        sent: stream.integer('sent', 0),
        received: stream.integer('received', 0),
        sentTo: stream.integer('sentTo', 0),
        sendEdge: stream.integer('sendEdge', 0),
        receiveEdge: stream.integer('receiveEdge', 0),
        largestWindow: stream.integer('largestWindow', 0),
        peerSegment: stream.integer('peerSegment', 0, 65_535),
        unacknowledged: stream.bytes('unacknowledged'),
      },
    },
    unread: fields.bytes('unread'),
  };
}

function addressFields({ family, port, word0, word1, word2, word3 }: NetworkAddress): readonly number[] {
  return [family, port, word0, word1, word2, word3];
}

/** The fields of an object out of JSON, each checked as it is read. */
class Reader {
  private readonly fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new TypeError('an object is missing');
    this.fields = value as Record<string, unknown>;
  }

  object(name: string): Reader {
    return new Reader(this.fields[name]);
  }

  boolean(name: string): boolean {
    const value = this.fields[name];
    if (typeof value !== 'boolean') throw new TypeError(`${name} is no boolean`);
    return value;
  }

  integer(name: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER): number {
    return checkedInteger(this.fields[name], name, minimum, maximum);
  }

  word(name: string, minimum = 0): number {
    return this.integer(name, minimum, 0xffffffff);
  }

  bytes(name: string): Buffer {
    const value = this.fields[name];
    if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw new TypeError(`${name} is no base64`);
    return Buffer.from(value, 'base64');
  }

  nonce(name: string): readonly [number, number] {
    const [high, low] = this.integers(name, 2, -(2 ** 31), 2 ** 31 - 1);
    return [high!, low!];
  }

  address(name: string): NetworkAddress {
    const [family, port, ...words] = this.integers(name, 6, -(2 ** 31), 2 ** 31 - 1);
    if ((family !== 4 && family !== 6) || port! < 0 || port! > 65_535) throw new TypeError(`${name} is no address`);
    const address = NetworkAddress.fromWords(family, port!, words[0]!, words[1]!, words[2]!, words[3]!);
    if (!address.isUnicast) throw new TypeError(`${name} is no address of a peer`);
    return address;
  }

  serviceID(name: string): ServiceID | undefined {
    const value = this.fields[name];
    if (value === undefined) return undefined;
    const id = typeof value === 'string' ? ServiceID.fromHex(value) : undefined;
    if (id === undefined) throw new TypeError(`${name} is no serviceID`);
    return id;
  }

  private integers(name: string, count: number, minimum: number, maximum: number): number[] {
    const value = this.fields[name];
    if (!Array.isArray(value) || value.length !== count) throw new TypeError(`${name} is no list of ${count} numbers`);
    return value.map((each) => checkedInteger(each, name, minimum, maximum));
  }
}

function checkedInteger(value: unknown, name: string, minimum: number, maximum: number): number {
  if (!Number.isInteger(value)) throw new TypeError(`${name} is no integer`);
  if ((value as number) < minimum || (value as number) > maximum) throw new RangeError(`${name} is out of range`);
  return value as number;
}

/** Never the state itself: an error may be printed. */
const STATE = '(a connection)';

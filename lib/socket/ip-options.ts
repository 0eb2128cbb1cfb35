// The members of `dgram.Socket` that steer the IP layer below it. Here service tables decide how a datagram
// travels, so these check their arguments and change nothing - but for IP groups, whose absence must show.

import { EventEmitter } from 'node:events';
import { ErrorCode } from '../errors';
import { checkNumber, checkOptionalInteger } from './argument-checks';
import type { DatagramEvents } from './datagram-events';
import { namedError, type Syscall } from './operation-error';

const BUFFER_MAXIMUM = 2 ** 32 - 1;

export class IpOptions extends EventEmitter<DatagramEvents> {
  setBroadcast(_flag: boolean): void {}

  setTTL(ttl: number): number {
    checkNumber(ttl, 'ttl');
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    return this.setTTL(ttl);
  }

  setMulticastLoopback(flag: boolean): boolean {
    return flag;
  }

  setMulticastInterface(_interface: string): void {}

  setRecvBufferSize(size: number): void {
    checkOptionalInteger(size, 'size', 0, BUFFER_MAXIMUM);
  }

  setSendBufferSize(size: number): void {
    checkOptionalInteger(size, 'size', 0, BUFFER_MAXIMUM);
  }

  /** Datagrams that wait in the socket: none, ever. */
  getSendQueueCount(): number {
    return 0;
  }

  getSendQueueSize(): number {
    return 0;
  }

  /** Throws ENOPROTOOPT, as the other three: there are no IP groups; several sockets may serve one service. */
  addMembership(_group: string, _interface?: string): void {
    throw noGroups('addMembership');
  }

  dropMembership(_group: string, _interface?: string): void {
    throw noGroups('dropMembership');
  }

  addSourceSpecificMembership(_source: string, _group: string, _interface?: string): void {
    throw noGroups('addSourceSpecificMembership');
  }

  dropSourceSpecificMembership(_source: string, _group: string, _interface?: string): void {
    throw noGroups('dropSourceSpecificMembership');
  }
}

function noGroups(syscall: Syscall): Error {
  return namedError(ErrorCode.optionNotSupported, syscall, undefined);
}

// What carries a controller session: a byte stream to one peer, given and driven by driver/. Both halves of the
// protocol are written against it, and never hear anything from inside a call to it.

import type { Duration, Instant } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';

export interface SessionChannel {
  /** Known once it is open. */
  readonly local: { readonly ip: string; readonly port: number };
  readonly remote: NetworkAddress;
  /** Smoothed; undefined before the first sample. */
  readonly roundTripTime: Duration | undefined;
  /** Takes a line. When the peer has not read so many for so long that they overflow, the channel ends. */
  send(line: string): void;
  /** Ends it behind what was sent. Its observer hears nothing more. */
  end(): void;
  /** Ends it now. Its observer hears nothing more. */
  reset(): void;
}

export interface ChannelObserver {
  /** Both ends know of each other. */
  opened(now: Instant): void;
  /** Complete lines; `undefined` when the peer sent one that is longer than any message. */
  lines(lines: readonly string[] | undefined, now: Instant): void;
  /** The last call: the peer ended it, it failed, or nobody answered. `isRefused`: nobody there takes sessions. */
  closed(now: Instant, isRefused: boolean): void;
}

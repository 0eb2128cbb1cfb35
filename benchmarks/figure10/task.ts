// What the two ends of figure10 are told and asked, and what they answer. Times are of the machine's clock.

import type { StreamContender } from '../measuring/movable-streams';

export interface Task {
  readonly contender: StreamContender;
  /** What each end sends, in bits a second. */
  readonly rate: number;
}

export interface EndOrders {
  roundTrip: { readonly argument: { readonly address: string }; readonly result: { readonly milliseconds: number } };
  /** Of the server. */
  listen: { readonly argument: undefined; readonly result: undefined };
  /** Of the client; resolves when it is connected. Both ends send from then on. */
  connect: { readonly argument: { readonly address: string }; readonly result: undefined };
  flow: { readonly argument: undefined; readonly result: { readonly isFlowing: boolean } };
  /** What came since, with the longest time in which nothing did. */
  silence: { readonly argument: { readonly from: number }; readonly result: Silence };
  /** What had come by when, since that time. */
  progress: { readonly argument: { readonly from: number }; readonly result: readonly Progress[] };
  /** Nothing more is sent. */
  stop: { readonly argument: undefined; readonly result: undefined };
  balance: { readonly argument: undefined; readonly result: Balance };
  /** The connection is given up. */
  abandon: { readonly argument: undefined; readonly result: undefined };
}

/** It has ended when something came again; until then it is as long as it has been so far. */
export interface Silence {
  readonly begin: number;
  readonly end: number;
}

export interface Progress {
  readonly at: number;
  readonly bytes: number;
}

export interface Balance {
  readonly written: number;
  readonly received: number;
  /** Whether every byte was what was sent. */
  readonly isRight: boolean;
  /** Why the connection is over, if it is. */
  readonly code?: string;
}

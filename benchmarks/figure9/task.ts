// What the programs of figure9 are told and asked, and what they answer. Flows are numbered as the clients are.

import type { StreamContender } from '../measuring/movable-streams';

/** Of what the flows carry: to the server, as in the paper, or from it. */
export type Direction = 'up' | 'down';

export interface Task {
  readonly contender: StreamContender;
  readonly direction: Direction;
}

export interface ServerOrders {
  listen: { readonly argument: undefined; readonly result: undefined };
  /** Resolves when the flow is there. */
  move: { readonly argument: { readonly flow: number; readonly address: string }; readonly result: undefined };
  report: { readonly argument: Asked; readonly result: Received };
}

export interface ClientOrders {
  roundTrip: { readonly argument: { readonly address: string }; readonly result: { readonly milliseconds: number } };
  /** Resolves when it is connected; it carries from then on. */
  connect: { readonly argument: { readonly flow: number; readonly address: string }; readonly result: undefined };
  report: { readonly argument: Asked; readonly result: Received };
}

/** Bins are counted from `origin`. */
export interface Asked {
  readonly origin: number;
}

/** By flow, what the program has received; those that it does not receive are not there. */
export type Received = Readonly<Record<number, FlowReport>>;

export interface FlowReport {
  /** Bytes in each bin of `BIN` milliseconds. */
  readonly bins: readonly number[];
  /** Whether every byte was what was sent. */
  readonly isRight: boolean;
}

/** Milliseconds: a round trip of the lines. */
export const BIN = 20;

// What the programs of first-packet are told, and asked.

/** How a first packet finds the server. */
export type Way = 'routers' | 'delay' | 'broadcast';

export interface Task {
  readonly way: Way;
  /** Where the server is, for `net` and for the directory behind DELAY. */
  readonly address: string;
}

export const CONTENDER_NAMES = ['serval', 'net'] as const;
export type ContenderName = (typeof CONTENDER_NAMES)[number];

export interface ClientOrders {
  /** Connects one after the other; what each took from the call to 'connect', in microseconds. */
  connect: {
    readonly argument: { readonly contender: ContenderName; readonly count: number };
    readonly result: readonly number[];
  };
}

export interface ServerOrders {
  listen: { readonly argument: undefined; readonly result: undefined };
}

export interface RouterOrders {
  start: { readonly argument: undefined; readonly result: undefined };
}

/** Each connect is to another service below it: nothing that was learned from one helps the next. */
export const SCOPE = 'first-packet/*';
export const PORT = 8000;

// What is compared, behind what the APIs have in common: the shape of `net`.

import type { Socket } from 'node:net';
import type { Task } from './task';

export interface Contender {
  /** What has to be loaded before the other two are called. */
  prepare?(): Promise<void>;
  /** Calls `listening` with what the client is to connect to, and what carries the bytes. */
  serve(address: string, connection: (socket: Socket) => void, listening: Listening): void;
  connect(target: string): Socket;
}

export type Listening = (target: string, carrier: string) => void;

/** The contender of a task, loaded and ready. */
export async function contenderOf(task: Task): Promise<Contender> {
  const module = require(task.contenders) as { readonly contenders: Readonly<Record<string, Contender>> };
  const contender = module.contenders[task.contender];
  if (contender === undefined) throw new Error(`${task.contenders} has no contender ${task.contender}`);
  await contender.prepare?.();
  return contender;
}

// The commands that a policy has decided on and nobody has polled yet, oldest first.

import type { ServiceCommand } from '../stack/control-interface';

export class CommandQueue {
  private commands: ServiceCommand[] = [];
  private head = 0;

  get isEmpty(): boolean {
    return this.head === this.commands.length;
  }

  push(command: ServiceCommand): void {
    this.commands.push(command);
  }

  poll(): ServiceCommand | undefined {
    const command = this.commands[this.head];
    if (command === undefined) return undefined;
    this.head++;
    if (this.isEmpty) {
      this.commands = [];
      this.head = 0;
    }
    return command;
  }
}

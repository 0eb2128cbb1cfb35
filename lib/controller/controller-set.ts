// Several policies side by side as one controller (§4.3: the mechanisms coexist): each sees every event, and
// their commands are polled policy by policy.

import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';
import { earlier, type Instant, NEVER } from '../time/instant';
import type { ServiceController } from './service-controller';

export class ControllerSet implements ServiceController {
  private readonly controllers: ServiceController[];

  constructor(controllers: readonly ServiceController[] = []) {
    this.controllers = [...controllers];
  }

  add(controller: ServiceController): void {
    this.controllers.push(controller);
  }

  delete(controller: ServiceController): void {
    const index = this.controllers.indexOf(controller);
    if (index >= 0) this.controllers.splice(index, 1);
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    for (const controller of this.controllers) controller.handleEvent(event, now);
  }

  pollCommand(): ServiceCommand | undefined {
    for (const controller of this.controllers) {
      const command = controller.pollCommand();
      if (command !== undefined) return command;
    }
    return undefined;
  }

  nextDeadline(): Instant {
    let next = NEVER;
    for (const controller of this.controllers) next = earlier(next, controller.nextDeadline?.() ?? NEVER);
    return next;
  }

  handleDeadline(now: Instant): void {
    for (const controller of this.controllers) controller.handleDeadline?.(now);
  }
}

// Several policies side by side as one controller (§4.3: the mechanisms coexist): each sees every event, and
// their commands are polled policy by policy.

import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';
import type { Instant } from '../time/instant';
import type { ServiceController } from './service-controller';

export class ControllerSet implements ServiceController {
  constructor(private readonly controllers: readonly ServiceController[]) {}

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
}

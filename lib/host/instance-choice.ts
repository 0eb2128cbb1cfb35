// How a real host chooses among instances (docs/choosing-instances.md): what its configuration says of pickers, and
// whether those that do not take connections are passed over.

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { OutlierEjection } from '../controller/policies/outlier-ejection';
import { SlowStart } from '../controller/policies/slow-start';
import type { ServiceController } from '../controller/service-controller';
import type { StackDriver } from '../driver/stack-driver';
import type { Duration } from '../time/instant';
import type { HostConfiguration } from './configuration';

export function startChoosing(driver: StackDriver, { pickers, ejection }: HostConfiguration): void {
  for (const choice of pickers) driver.command({ kind: 'setPicker', ...choice });
  if (ejection) driver.addController(new OutlierEjection(driver.stack.sal.serviceTable));
}

/** The controller that registers instances, so that they start slowly if that is wanted. */
export function startingSlowly(controller: ServiceController, duration: Duration | undefined): ServiceController {
  return duration === undefined ? controller : new SlowStart(controller, duration);
}

/** The same in all processes of a machine, and when they start anew: who is to stay with an instance does. */
export function machineIdentity(): number {
  return createHash('sha256').update(hostname()).digest().readUInt32BE();
}

// Trees of service routers in the simulator: what is registered anywhere can be reached from anywhere.
import { describe, expect, it } from 'vitest';
import { CONTROLLER_SERVICE } from '../../lib/controller/controller-service';
import { serviceID } from '../../lib/socket/service-name';

describe('the controller service', () => {
  it('has the serviceID of its name', () => {
    expect(serviceID('serval/controller').equals(CONTROLLER_SERVICE)).toBe(true);
  });
});

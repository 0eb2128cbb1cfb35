// A client's host and a server's with a process each, and a router between them: what tests begin with that plug and unplug.

import type { Actor, Company } from './actor';
import { HashedStream, type Plan } from './hashed-stream';
import type { Lab } from './lab';
import { type Cable, type Families, Stub } from './stub';

const SERVICE = 'acme/hashed';

export class TwoStubs {
  private constructor(
    readonly client: Stub,
    readonly server: Stub,
    private readonly clientActor: Actor,
    private readonly serverActor: Actor,
  ) {}

  static async start(lab: Lab, company: Company): Promise<TwoStubs> {
    const router = lab.host('router');
    router.route();
    const stubs = [new Stub(lab, lab.host('client'), router), new Stub(lab, lab.host('server'), router)] as const;
    const environment = { SERVAL_BROADCAST: '0' };
    const actors = await Promise.all(stubs.map(({ host }) => company.start({ on: host, environment })));
    return new TwoStubs(stubs[0], stubs[1], actors[0]!, actors[1]!);
  }

  /** Both hosts begin anew, with the addresses that they have now; one stream between them, of which bytes have come. */
  async stream(plan: Plan): Promise<HashedStream> {
    await this.serverActor.ask('createHost', { settings: {} });
    await this.serverActor.ask('listenHashed', { service: SERVICE, plan });
    const isV4 = this.client.has(4) && this.server.has(4);
    const address = isV4 ? this.server.address(4) : `[${this.server.address(6)}]`;
    await this.clientActor.ask('createHost', { settings: { router: `${address}:54325` } });
    return HashedStream.open(this.clientActor, this.serverActor, SERVICE, plan);
  }

  /** Ends both hosts. */
  async rest(): Promise<void> {
    await this.clientActor.ask('closeHost');
    await this.serverActor.ask('closeHashed', { service: SERVICE });
    await this.serverActor.ask('closeHost');
  }
}

/** Resolves when the cable carries packets. */
export async function plugged(stub: Stub, families: Families): Promise<Cable> {
  const cable = stub.plug(families);
  await stub.host.isUp(cable.networkInterface);
  return cable;
}

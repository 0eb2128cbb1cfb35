// The only cable of a host: it is pulled out of one bridge and put into another, in another subnet, where the host gets an
// address that it never had before.

import type { StreamContender } from '../measuring/movable-streams';
import { runIn } from '../measuring/namespaces';
import { IpShell } from './ip-shell';

/** What the kernel's MPTCP is told of the new address: who opens the connection joins from it, who accepts tells of it. */
export type EndpointKind = 'subflow' | 'signal';

export class Cable {
  address = '';
  private readonly host: IpShell;
  private readonly bridges: IpShell;
  private moves = 0;

  /** `network` is the first two numbers of the addresses. */
  constructor(
    hostNamespace: string,
    bridgeNamespace: string,
    private readonly network: string,
    private readonly contender: StreamContender,
    private readonly endpointKind: EndpointKind,
  ) {
    this.host = new IpShell(hostNamespace);
    this.bridges = new IpShell(bridgeNamespace);
    // Both have the whole network's addresses as neighbours of their own now and then; none is checked against a route.
    runIn(hostNamespace, 'sysctl', '-q', '-w', 'net.ipv4.conf.all.rp_filter=0');
  }

  /** The bridges, each with another machine on it, which keeps it alive; and the cable, in none of them. */
  async lay(hostNamespace: string): Promise<void> {
    const bridges = SUBNETS.flatMap((subnet) => [
      `link add bridge${subnet} type bridge`,
      `link set bridge${subnet} up`,
      `link add other${subnet} type veth peer name machine${subnet}`,
      `link set machine${subnet} up`,
      `link set other${subnet} master bridge${subnet} up`,
      `address add ${this.gateway(subnet)}/24 dev bridge${subnet}`,
    ]);
    // A device whose number is its peer's would hear of its carrier up to a second later.
    const cable = `link add port index ${PORT_INDEX} type veth peer name eth0 netns ${hostNamespace}`;
    await this.bridges.run(...bridges, cable);
    await this.host.run('link set eth0 up');
    if (this.contender === 'mptcp') await this.host.run('mptcp limits set subflow 8 add_addr_accepted 8');
  }

  /** The carrier is gone; the address is still there, as on any host. */
  async unplug(): Promise<void> {
    await this.bridges.run('link set port down', 'link set port nomaster');
  }

  /** Into the other bridge. */
  async plug(): Promise<void> {
    const before = this.address;
    const subnet = SUBNETS[this.moves % SUBNETS.length]!;
    this.address = `${this.network}.${subnet}.${FIRST_HOST + (this.moves % HOSTS)}`;
    this.moves++;
    await this.bridges.run(`link set port master bridge${subnet} up`);
    // What the host says before is lost, and a kernel asks for its neighbour again after a second.
    await said(this.bridges, 'link show dev port', 'state forwarding');
    await said(this.host, 'link show dev eth0', 'state UP');
    await this.host.run(
      'address flush dev eth0',
      `address add ${this.address}/24 broadcast + dev eth0`,
      // CUBIC stands in the route: a namespace may not choose it as its default where the machine's own does not allow it.
      `route add default via ${this.gateway(subnet)} dev eth0 congctl cubic`,
      ...(this.contender === 'mptcp' && before !== '' ? this.endpointCommands(before) : []),
    );
  }

  close(): void {
    this.host.close();
    this.bridges.close();
  }

  private endpointCommands(before: string): readonly string[] {
    const id = (move: number): number => 1 + (move % ENDPOINTS);
    const isFirst = this.moves === 2;
    return [
      isFirst ? `mptcp endpoint delete id 0 ${before}` : `mptcp endpoint delete id ${id(this.moves - 1)}`,
      `mptcp endpoint add ${this.address} id ${id(this.moves)} dev eth0 ${this.endpointKind}`,
    ];
  }

  private gateway(subnet: number): string {
    return `${this.network}.${subnet}.254`;
  }
}

/** Until the kernel says so of the interface. */
async function said(shell: IpShell, show: string, what: string): Promise<void> {
  while (!(await shell.run(show)).includes(what));
}

const SUBNETS = [0, 1];
const FIRST_HOST = 10;
const HOSTS = 200;
const ENDPOINTS = 200;
const PORT_INDEX = 77;

// `http.Agent` for services: the same agent, whose connections go to a serviceID. Pooling, keep-alive and
// limits are Node's.

import http from 'node:http';
import type { SocketHost } from '../driver/handles';
import type { ServiceName } from '../socket/argument-checks';
import type { ConnectOptions } from '../socket/connect-options';
import { connect } from '../socket/connections';
import type { StreamSocket } from '../socket/stream-socket';

export interface AgentOptions extends Omit<http.AgentOptions, 'host'> {
  /** The host to work on; the process's default host where it is left out. */
  host?: SocketHost;
  /** Where all requests go, whatever host their URL names. */
  serviceID?: ServiceName;
}

/**
 * Sends requests to services: `http.get({ agent, serviceID: 'acme/web', path: '/' })`. Without a serviceID in
 * the request's or the agent's options the host name is the service's name: `http.get('http://files/', { agent })`
 * asks the service `files`. (Names of several components do not fit into a URL.) Works with everything that
 * takes an `http.Agent`, as `agent` or `httpAgent`. §4.1
 */
export class Agent extends http.Agent {
  private readonly socketHost: SocketHost | undefined;
  private readonly serviceID: ServiceName | undefined;

  constructor(options: AgentOptions = {}) {
    const { host, serviceID, ...rest } = options;
    super(rest);
    this.socketHost = host;
    this.serviceID = serviceID;
  }

  /** Connections are shared among requests to one service. */
  override getName(options?: object): string {
    return `serval:${this.serviceOf(options ?? {})}`;
  }

  override createConnection(options: http.ClientRequestArgs): StreamSocket {
    const target = options as ConnectOptions & RequestTarget;
    return connect({ ...target, host: this.socketHost, serviceID: this.serviceOf(target) });
  }

  private serviceOf(options: RequestTarget): ServiceName {
    return options.serviceID ?? this.serviceID ?? options.host ?? '';
  }
}

interface RequestTarget {
  readonly serviceID?: ServiceName | undefined;
  readonly host?: string | null | undefined;
}

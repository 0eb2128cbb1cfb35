// A host's control interface: where it is opened, whom it may be opened by, and what it sees of the host. A host
// without it works as well, so that only an interface that was asked for by its path is worth a warning.

import { unlinkSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import type { Server } from 'node:net';
import { clearEndpoints, controlPaths } from '../control/control-endpoint';
import { ControlServer } from '../control/control-server';
import type { ControlledHost, DrainOutcome, HostFacts, RegisteredHostFacts } from '../control/controlled-host';
import { type HostEvent, HostEvents } from '../control/host-events';
import { ListenerHandleOverStack } from '../driver/listener-handle';
import type { StackDriver } from '../driver/stack-driver';
import type { Listener } from '../stack/listener';
import type { Instant } from '../time/instant';
import type { ServicePrefix } from '../wire/service-id';
import type { HostConfiguration } from './configuration';
import { hostDebug, publishEvent } from './host-diagnostics';
import { bindEndpoint } from './registry-endpoint';

/** What only the host knows of itself. */
export interface HostView {
  facts(): HostFacts;
  registeredHosts(): Iterable<RegisteredHostFacts>;
}

export class HostControl implements ControlledHost {
  readonly events = new HostEvents();
  private server: ControlServer | undefined;
  private path: string | undefined;
  private isClosed = false;

  /** `owner`: whom events are of. */
  constructor(
    private readonly owner: object,
    private readonly configuration: Pick<HostConfiguration, 'control' | 'port'>,
    private readonly driver: StackDriver,
    private readonly view: HostView,
    private readonly warn: (error: Error) => void,
  ) {
    driver.onServiceCommand = (command) => this.tell({ kind: 'command', command });
  }

  /** What happened, for all who watch. */
  tell(event: HostEvent): void {
    publishEvent(this.owner, event);
    if (this.events.isWatched) this.events.tell(event);
  }

  facts(): HostFacts {
    return this.view.facts();
  }

  registeredHosts(): Iterable<RegisteredHostFacts> {
    return this.view.registeredHosts();
  }

  get stack() {
    return this.driver.stack;
  }

  /** Where it is, once it is open. */
  get endpoint(): string | undefined {
    return this.path;
  }

  now(): Instant {
    return this.driver.now();
  }

  command: ControlledHost['command'] = (command) => this.driver.command(command);

  drain(prefix: ServicePrefix, timeout: number | undefined): readonly Promise<DrainOutcome>[] {
    const drains: Promise<DrainOutcome>[] = [];
    // A socket that drains leaves the list.
    for (const listener of [...this.stack.listeners()]) {
      if (!prefix.containsPrefix(listener.prefix)) continue;
      const drain = handleOf(listener)?.drain(timeout);
      if (drain !== undefined) drains.push(drain.then((result) => ({ prefix: listener.prefix, ...result })));
    }
    return drains;
  }

  /** Resolves when it is open, or cannot be. */
  async open(): Promise<void> {
    const { control, port } = this.configuration;
    if (control === 'off') return;
    try {
      await (control === 'default' ? this.openFirst(await controlPaths(port)) : this.openAt(control.path));
      if (control === 'default') void clearEndpoints().catch(() => {});
    } catch (error) {
      if (control === 'default') hostDebug('no control interface: %s', (error as Error).message);
      else this.warn(error as Error);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.tell({ kind: 'role', role: null });
    await this.server?.close();
  }

  /** For the end of the process: a socket file stays when its process goes. */
  closeNow(): void {
    if (this.path === undefined || this.isClosed) return;
    try {
      unlinkSync(this.path);
    } catch {
      // Somebody was faster.
    }
  }

  private async openFirst(paths: readonly string[]): Promise<void> {
    for (const path of paths) if (await this.tryAt(path)) return;
    throw new Error('this process has too many hosts');
  }

  private async openAt(path: string): Promise<void> {
    if (!(await this.tryAt(path))) throw new Error(`the control interface ${path} is another process's`);
  }

  /** False when somebody has it. */
  private async tryAt(path: string): Promise<boolean> {
    const endpoint = await bindEndpoint(path);
    if (endpoint === undefined) return false;
    await protect(path);
    if (this.isClosed) endpoint.close();
    else this.serve(endpoint, path);
    return true;
  }

  private serve(endpoint: Server, path: string): void {
    this.path = path;
    this.server = new ControlServer(endpoint, this);
    hostDebug('control interface at %s', path);
  }
}

function handleOf(listener: Listener): ListenerHandleOverStack | undefined {
  return listener.handle instanceof ListenerHandleOverStack ? listener.handle : undefined;
}

/** An abstract socket and a pipe have no mode. */
async function protect(path: string): Promise<void> {
  if (path.startsWith('/')) await chmod(path, 0o600);
}

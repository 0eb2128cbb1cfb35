// The links attached to a stack, by index. Index 0 is always the loopback link, on which the process reaches
// itself.

import type { NetworkAddress } from '../wire/network-address';
import type { LinkOutput } from './link-output';

export class Links {
  private readonly outputs: LinkOutput[] = [];
  private dataLinks: readonly LinkOutput[] = [];

  add(output: LinkOutput): void {
    this.outputs.push(output);
    this.dataLinks = this.outputs.map((each) => this.findDataLink(each));
  }

  get length(): number {
    return this.outputs.length;
  }

  all(): readonly LinkOutput[] {
    return this.outputs;
  }

  at(link: number): LinkOutput {
    return this.outputs[link]!;
  }

  get loopback(): LinkOutput {
    return this.outputs[LOOPBACK_LINK]!;
  }

  /** The link that carries this process's flows, for a packet that came by `link`. */
  dataLink(link: number): LinkOutput {
    return this.dataLinks[link]!;
  }

  /** The link by which first packets go to an address that no rule of the table names: one with ports, or one without. */
  towards(address: NetworkAddress): LinkOutput {
    const isFitting = ({ index, properties }: LinkOutput): boolean =>
      index !== LOOPBACK_LINK && properties.role === 'data' && properties.encapsulated === (address.port !== 0);
    return this.outputs.find(isFitting) ?? this.usual;
  }

  /** The link most first packets leave by: the first that is not the loopback link. */
  get usual(): LinkOutput {
    return this.outputs[1] ?? this.loopback;
  }

  private findDataLink(output: LinkOutput): LinkOutput {
    if (output.properties.role === 'data') return output;
    const { kind } = output.properties;
    return this.outputs.find((each) => isDataLink(each, kind)) ?? output;
  }
}

/** The loopback link carries flows too, but to this process alone. */
function isDataLink({ index, properties }: LinkOutput, kind: string): boolean {
  return index !== LOOPBACK_LINK && properties.role === 'data' && properties.kind === kind;
}

export const LOOPBACK_LINK = 0;

// The links attached to a stack, by index. Index 0 is always the loopback link, on which the process reaches
// itself.

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

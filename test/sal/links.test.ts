import { describe, expect, it } from 'vitest';
import { LinkOutput } from '../../lib/sal/link-output';
import type { LinkProperties } from '../../lib/sal/link-properties';
import { Links } from '../../lib/sal/links';

function linksOf(...properties: Pick<LinkProperties, 'kind' | 'role'>[]): Links {
  const links = new Links();
  for (const [index, each] of properties.entries()) {
    links.add(new LinkOutput(index, { ...each, encapsulated: index > 0, mtu: 1500 }));
  }
  return links;
}

describe('Links.dataLink', () => {
  it('answers by the data link of the same kind what came by the well-known one', () => {
    const links = linksOf(
      { kind: 'memory', role: 'data' },
      { kind: 'raw', role: 'data' },
      { kind: 'udp', role: 'data' },
      { kind: 'udp', role: 'well-known' },
    );
    expect(links.dataLink(3).index).toBe(2);
    expect(links.dataLink(1).index).toBe(1);
  });

  it('never takes the loopback link for one that leads out, though it may be of the same kind', () => {
    const links = linksOf(
      { kind: 'memory', role: 'data' },
      { kind: 'memory', role: 'data' },
      { kind: 'memory', role: 'well-known' },
    );
    expect(links.dataLink(2).index).toBe(1);
    expect(linksOf({ kind: 'memory', role: 'data' }, { kind: 'memory', role: 'well-known' }).dataLink(1).index).toBe(1);
  });
});

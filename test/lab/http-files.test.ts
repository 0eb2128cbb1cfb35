// The first acceptance test: an unmodified HTTP application on host A, reached by name from host B, over each
// link, on a clean path and on one that loses, delays and reorders.

import { afterEach, expect, it } from 'vitest';
import { Lab, type LabHost, nextMessage } from './lab';
import { describeWithNamespaces } from './require-root';

interface Report {
  readonly files: number;
  readonly wrong: readonly number[];
  readonly bytes: number;
  readonly connections: number;
  readonly seconds: number;
  readonly error?: string;
}

const LARGEST = 50_000_000;

const LINKS: readonly (readonly [name: string, family: 4 | 6, environment: Record<string, string>])[] = [
  ['UDP link, IPv4', 4, { SERVAL_LINKS: 'udp' }],
  ['UDP link, IPv6', 6, { SERVAL_LINKS: 'udp' }],
  ['raw IP', 4, { SERVAL_LINKS: 'raw' }],
  ['pure TypeScript link', 4, { SERVAL_LINKS: 'udp-dgram' }],
];

const labs: Lab[] = [];

afterEach(() => {
  for (const lab of labs.splice(0)) lab.close();
});

describeWithNamespaces('HTTP by service name between two hosts', () => {
  it.each(LINKS)('%s', { timeout: 120_000 }, async (_name, family, environment) => {
    const { lab, a, b } = twoHosts();
    lab.connect(a, addressOf(family, 1), b, addressOf(family, 2));
    // IPv6 has no broadcast: the router of host B is named.
    const router = family === 6 ? { SERVAL_ROUTER: '[fd00:9::1]' } : {};
    const report = await fetchFiles(a, b, { ...environment, ...router }, environment);
    expect(report).toMatchObject({ files: 200, wrong: [], connections: 32 });
  });

  it('all of them at once over paths with 2 % loss, reordering and 20 ms', { timeout: 400_000 }, async () => {
    const reports = await Promise.all(
      LINKS.map(async ([, family, environment], index) => {
        const { lab, a, b } = twoHosts();
        const path = { delay: 10, loss: 0.02, reorder: 0.02, seed: index + 1 };
        await lab.relay(a, addressOf(family, 1), b, addressOf(family, 2), path);
        const router = { SERVAL_ROUTER: family === 6 ? '[fd00:9::1]' : '10.9.0.1' };
        const report = await fetchFiles(a, b, { ...environment, ...router }, environment);
        const [relayed] = await lab.endRelays();
        expect(relayed!.lost).toBeGreaterThan(relayed!.passed! * 0.015);
        return report;
      }),
    );
    for (const report of reports) expect(report).toMatchObject({ files: 200, wrong: [], connections: 32 });
  });
});

function twoHosts(): { lab: Lab; a: LabHost; b: LabHost } {
  const lab = new Lab();
  labs.push(lab);
  return { lab, a: lab.host('a'), b: lab.host('b') };
}

function addressOf(family: 4 | 6, host: number): readonly string[] {
  return family === 4 ? [`10.9.0.${host}/24`] : [`fd00:9::${host}/64`];
}

async function fetchFiles(
  a: LabHost,
  b: LabHost,
  clientEnvironment: Record<string, string>,
  serverEnvironment: Record<string, string>,
): Promise<Report> {
  const server = a.start('file-server.cjs', ['acme/files', String(LARGEST)], serverEnvironment);
  await nextMessage(server);
  const client = b.start('file-client.cjs', ['acme/files', String(LARGEST)], clientEnvironment);
  const report = await nextMessage<Report>(client);
  if (report.error !== undefined) throw new Error(report.error);
  return report;
}

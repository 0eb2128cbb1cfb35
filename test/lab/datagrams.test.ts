// Datagrams between hosts, over each link (§5.1, P17, P18): by name and back to the sender, connected to one
// instance of several, and up to the size that the path takes.

import { expect, it } from 'vitest';
import type { Actor } from './actor';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

/** Link, family, and the payload of the largest datagram: 1,500 bytes less all headers around it. */
const LINKS = [
  ['udp', 4, 1500 - 20 - 8 - 12 - 8],
  ['udp', 6, 1500 - 40 - 8 - 12 - 8],
  ['udp-dgram', 4, 1500 - 20 - 8 - 12 - 8],
  ['udp-dgram', 6, 1500 - 40 - 8 - 12 - 8],
  ['raw', 4, 1500 - 20 - 12 - 8],
  ['raw', 6, 1500 - 40 - 12 - 8],
] as const;

/** Unconnected, both serviceIDs go along. */
const SERVICE_EXTENSIONS = 72;

const { company, newLab } = companyInLabs();

interface Message {
  readonly length: number;
  readonly text: string;
  readonly from: string;
}

const messages = (actor: Actor, name: string) => actor.ask<Message[]>('datagramMessages', { name });
const received = (actor: Actor, name: string, count: number) =>
  actor.event('message', (event) => event.name === name && event['count'] === count);

/** Two processes with the same service on one host, and one process on another. */
async function twoInstances(link: string, family: 4 | 6): Promise<{ client: Actor; instances: Actor[]; name: string }> {
  const lab = newLab();
  const [a, b] = [lab.host('a'), lab.host('b')];
  const address = (host: number) => (family === 4 ? `10.9.0.${host}/24` : `fd00:9::${host}/64`);
  lab.connect(a, [address(1)], b, [address(2)]);
  await Promise.all([a.isUp('eth0'), b.isUp('eth0')]);
  // IPv6 has no broadcast: the way to the other host is named.
  const router = family === 4 ? {} : { SERVAL_ROUTER: '[fd00:9::1]', SERVAL_BROADCAST: '0' };
  const environment = { SERVAL_LINKS: link };
  const instances = [await company.start({ on: a, environment }), await company.start({ on: a, environment })];
  const client = await company.start({ on: b, environment: { ...environment, ...router } });
  const ids: string[] = [];
  for (const actor of [...instances, client]) await actor.ask('createHost', { settings: {} });
  for (const actor of instances) {
    ids.push(await actor.ask('bindDatagram', { name: 'server', service: 'acme/datagrams', answers: true }));
  }
  return { client, instances, name: ids[0]! };
}

describeWithNamespaces('datagrams between two hosts', () => {
  it.each(LINKS)('over %s, IPv%i, %i bytes at most', async (link, family, largest) => {
    const { client, instances, name } = await twoInstances(link, family);
    const both = new Map(instances.map((actor) => [actor.pid, actor]));

    // Unconnected, by name: from a socket with a random serviceID, which the answer comes back to.
    const own = await client.ask<string>('bindDatagram', { name: 'free' });
    const size = largest - SERVICE_EXTENSIONS;
    expect(await client.ask('sendDatagram', { name: 'free', service: 'acme/datagrams', length: size })).toBeUndefined();
    await received(client, 'free', 1);
    const [answer] = await messages(client, 'free');
    expect(answer).toMatchObject({ from: name });
    const answerer = both.get(Number.parseInt(answer!.text, 10))!;
    expect(answer!.text).toBe(`${answerer.pid} got ${size}`);
    expect(await messages(answerer, 'server')).toEqual([{ length: size, text: 'd'.repeat(40), from: own }]);
    const tooLarge = { name: 'free', service: 'acme/datagrams', length: size + 1 };
    expect(await client.ask('sendDatagram', tooLarge)).toBe('EMSGSIZE');

    // Connected: all of them to the instance of the handshake, the largest among them, and each is answered.
    await client.ask('bindDatagram', { name: 'connected' });
    expect(await client.ask('connectDatagram', { name: 'connected', service: 'acme/datagrams' })).toBeUndefined();
    for (let count = 1; count <= 100; count++) {
      const length = count === 100 ? largest : count;
      expect(await client.ask('sendDatagram', { name: 'connected', length })).toBeUndefined();
      await received(client, 'connected', count);
    }
    expect(await client.ask('sendDatagram', { name: 'connected', length: largest + 1 })).toBe('EMSGSIZE');
    const answers = await messages(client, 'connected');
    const pids = new Set(answers.map(({ text }) => Number.parseInt(text, 10)));
    expect(pids.size).toBe(1);
    const [instance] = [...pids];
    expect(answers.map(({ text }) => text)).toEqual(
      answers.map((_, index) => `${instance} got ${index === 99 ? largest : index + 1}`),
    );
  });
});

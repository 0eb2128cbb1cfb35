// The degradation ladder (goal R5): on each of nine bad networks, of the client's or of the server's, a connection is
// opened and carries what it has to; and one that is open goes on when its good network goes and it has to move there
// (§4.4). SERVAL_STORIES=100 runs a hundred seeds of each of the 36 cases.

import { Delay } from '../../lib/sim/elements/delay';
import { milliseconds, seconds } from '../../lib/time/instant';
import { expectThat } from './checkers';
import { direction, LADDER, type Rung } from './degradation-ladder';
import { type Story, stories } from './story';

type Side = 'client' | 'server';

/** Bytes, each way. */
const LENGTH = 60_000;
const GOOD = [new Delay(milliseconds(5))];
/** A connection is given up after two minutes without an acknowledgment; on the worst of all, an application may wait longer. */
const PATIENT = { userTimeout: 600_000 };

for (const [index, rung] of LADDER.entries()) {
  const isWorst = rung === LADDER.at(-1);
  // As long as iroh's tests wait for a single message; on the worst rung nobody passes that.
  const limit = isWorst ? 3600 : 20 + 10 * index;
  for (const [number, side] of (['client', 'server'] as const).entries()) {
    const first = 20_000 + 4000 * index + 2000 * number;
    const plan = isWorst ? PATIENT : {};
    stories(`${rung.name} of the ${side}: a connection opens, and all arrives`, first, 1, (story) => {
      const { world } = story;
      const [client, server] = [world.host('client'), world.host('server')];
      for (const host of [client, server]) {
        world.attach(host, world.segment('core'), host.name === side ? lineOf(rung) : { outbound: GOOD });
      }
      client.forward(server.address());
      story.serve(server, story.service(1), () => story.plan(LENGTH, { chunk: 5000, keepAlive: 10_000, ...plan }));
      const wishes = { chunk: 5000, keepAlive: 10_000, ...plan };
      story.visit(client, story.service(1), story.plan(LENGTH, wishes), { timeout: 120_000 });
      finish(story, limit);
    });
    stories(`${rung.name} of the ${side}: a connection moves there, and all arrives`, first + 1000, 1, (story) => {
      moveTo(rung, side, story, plan);
      finish(story, limit);
    });
  }
}

function lineOf(rung: Rung) {
  return { outbound: direction(rung), inbound: direction(rung) };
}

/** Both ends send a little all the time when the good network of one goes, and the bad one is all that it has. */
function moveTo(rung: Rung, side: Side, story: Story, plan: object): void {
  const { world } = story;
  const core = world.segment('core');
  const [client, server] = [world.host('client'), world.host('server')];
  for (const host of [client, server]) world.attach(host, core, { outbound: GOOD });
  const host = side === 'client' ? client : server;
  world.segment('poor').join(core);
  client.forward(server.address());
  const wishes = { chunk: 1000, every: milliseconds(2), keepAlive: 10_000, ...plan };
  story.serve(server, story.service(1), () => story.plan(LENGTH, wishes));
  const encounter = story.visit(client, story.service(1), story.plan(LENGTH, wishes));
  world.run({ for: milliseconds(60) });
  expectThat(encounter.accepted.length === 1 && encounter.client.received < LENGTH, 'the connection is at work');
  world.attach(host, world.segment('poor'), lineOf(rung));
  host.interfaces[0]!.down();
}

/** Everything arrives in both directions within so many seconds, and is ended in order. */
function finish(story: Story, limit: number): void {
  const [{ client, accepted }] = story.encounters as [(typeof story.encounters)[number]];
  const isOver = (): boolean => client.isClosed && accepted[0]?.isClosed === true;
  story.world.run({ for: seconds(limit), until: isOver });
  expectThat(isOver(), `it is not over after ${limit} s: ${client.describe()}`);
  if (process.env['SERVAL_REPORT'] === '1') console.info(`took ${Math.round(story.world.now)} ms`);
  story.end();
}

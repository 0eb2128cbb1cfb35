// Native links and the process, its threads and its end.

import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithAddon } from '../native/addon';
import { exitOf, FixtureProgram } from './fixture-program';

describeWithAddon('a native link in a process', () => {
  let program: FixtureProgram;
  beforeAll(() => {
    program = new FixtureProgram('link-main');
  });
  afterAll(() => program.remove());

  it.each([
    ['works in several worker threads', 'workers'],
    ['survives the end of a thread that sends and receives', 'terminate'],
    ['makes what its handler throws an uncaught exception, and goes on', 'throwing'],
    ['lets the process end when it is not referenced', 'unref'],
    ['lets the process exit in the midst of a burst', 'exit'],
    ['leaves nothing behind that garbage collection stumbles over', 'collected'],
  ])('%s', async (_name, scenario) => {
    const child = program.start([scenario], { env: { NODE_OPTIONS: '--expose-gc' } });
    const exit = exitOf(child);
    expect((await once(child, 'message'))[0]).toBe('ok');
    expect(await exit).toBe(0);
  });

  it('works on a kernel that knows neither UDP_SEGMENT nor UDP_GRO', async () => {
    const child = program.start(['oldKernel'], { env: { LD_PRELOAD: program.compileLibrary('old-kernel') } });
    const exit = exitOf(child);
    expect((await once(child, 'message'))[0]).toBe('ok');
    expect(await exit).toBe(0);
  });

  it('is not there when SERVAL_NATIVE is 0, and says so', async () => {
    const child = program.start(['missing'], { env: { SERVAL_NATIVE: '0' } });
    const exit = exitOf(child);
    expect((await once(child, 'message'))[0]).toBe('it is switched off by SERVAL_NATIVE=0');
    expect(await exit).toBe(0);
  });
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SERVICE_FILE_CHANGES_MAXIMUM } from '../../lib/limits';
import { FileResolver } from '../../lib/resolver/file-resolver';
import { serviceID, servicePrefix } from '../../lib/socket/service-name';
import { ServicePrefix } from '../../lib/wire/service-id';

const signal = new AbortController().signal;
let folder: string;
let path: string;
const warnings: string[] = [];
const ends: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serval-services-'));
  path = join(folder, 'services.json');
  warnings.length = 0;
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const write = (services: object) => writeFileSync(path, JSON.stringify({ services }));
/** At once: who reads meanwhile must not find it empty. */
const replaceBy = (text: string): void => {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};
const ask = (resolver: FileResolver, name = 'acme/web') => resolver.resolve({ serviceID: serviceID(name) }, signal);
const whereIs = async (resolver: FileResolver, name?: string) =>
  (await ask(resolver, name)).instances.map((instance) => (instance as { address: string }).address);

/** A resolver that looks every few milliseconds, and what it has said to have changed. */
function watching() {
  const resolver = new FileResolver(path, { interval: 2 });
  const changed: string[] = [];
  ends.push(resolver.onChange((prefix) => void changed.push(String(prefix))));
  return { resolver, changed };
}

describe('FileResolver', () => {
  it('answers from the file, and says how long that holds', async () => {
    write({ 'acme/web': ['192.0.2.1'] });
    const resolver = new FileResolver(path);
    expect(await whereIs(resolver)).toEqual(['192.0.2.1']);
    expect(await ask(resolver, 'acme/none')).toEqual({ instances: [], lifetime: 5000 });
  });

  it('sees each change without being watched for changes, too', async () => {
    write({ 'acme/web': ['192.0.2.1'] });
    const resolver = new FileResolver(path);
    await ask(resolver);
    write({ 'acme/web': ['192.0.2.1', '192.0.2.2'] });
    expect(await whereIs(resolver)).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  it('tells which services have changed, and answers anew', async () => {
    write({ a: ['192.0.2.1'], b: ['192.0.2.2'] });
    const { resolver, changed } = watching();
    await ask(resolver);
    replaceBy(JSON.stringify({ services: { a: ['192.0.2.1'], b: ['192.0.2.3'] } }));
    await vi.waitFor(() => expect(changed).toEqual([String(servicePrefix('b'))]));
    expect(await whereIs(resolver, 'b')).toEqual(['192.0.2.3']);
  });

  it('tells of many changes in one', async () => {
    const services = (ip: string) =>
      Object.fromEntries(Array.from({ length: SERVICE_FILE_CHANGES_MAXIMUM + 1 }, (_, index) => [`s${index}`, [ip]]));
    write(services('192.0.2.1'));
    const { resolver, changed } = watching();
    await ask(resolver, 's0');
    write(services('192.0.2.20'));
    await vi.waitFor(() => expect(changed).toEqual([String(ServicePrefix.any)]));
  });

  it('keeps what it had while the file is half written, gone or wrong, and says so once', async () => {
    write({ 'acme/web': ['192.0.2.1'] });
    const { resolver, changed } = watching();
    await ask(resolver);
    const whole = JSON.stringify({ services: { 'acme/web': ['192.0.2.7'] } });
    replaceBy(whole.slice(0, -5));
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    expect(warnings[0]).toMatch(/services\.json: .*JSON.*; what was read before stays in force/);
    expect(await whereIs(resolver)).toEqual(['192.0.2.1']);
    rmSync(path);
    await vi.waitFor(() => expect(warnings).toHaveLength(2));
    expect(warnings[1]).toMatch(/ENOENT/);
    expect(await whereIs(resolver)).toEqual(['192.0.2.1']);
    expect(changed).toEqual([]);
    replaceBy(whole);
    await vi.waitFor(() => expect(changed).toHaveLength(1));
    expect(await whereIs(resolver)).toEqual(['192.0.2.7']);
    expect(warnings).toHaveLength(2);
  });

  it('says that it does not know while there has been no good file yet', async () => {
    const resolver = new FileResolver(path);
    await expect(ask(resolver)).rejects.toThrow(/ENOENT/);
    write({ 'acme/web': ['192.0.2.1'] });
    expect(await whereIs(resolver)).toEqual(['192.0.2.1']);
  });

  it('refuses to answer who does not wait any more, and a path that is none', async () => {
    write({});
    const gone = AbortSignal.abort(new Error('gone'));
    await expect(new FileResolver(path).resolve({ serviceID: serviceID('a') }, gone)).rejects.toThrow('gone');
    expect(() => new FileResolver('')).toThrow(TypeError);
  });
});

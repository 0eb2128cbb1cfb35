import { describe, expect, it } from 'vitest';
import { ServiceFile } from '../../lib/resolver/service-file';
import { serviceID, servicePrefix } from '../../lib/socket/service-name';

const file = (services: unknown, more: object = {}) => ServiceFile.parse(JSON.stringify({ services, ...more }));
const addresses = (content: ServiceFile, name: string) =>
  content.resolve(serviceID(name)).instances.map((instance) => (instance as { address: string }).address);

describe('a file of services', () => {
  it('gives instances with their terms, and the usual lifetime where an entry has none', () => {
    const content = file(
      {
        'acme/web': ['192.0.2.1', { address: '[2001:db8::1]:99', weight: 3, priority: 2 }],
        'acme/db': { instances: ['192.0.2.2:54325'], lifetime: 7, idleTimeout: 5 },
      },
      { lifetime: 1000, negativeLifetime: 20 },
    );
    expect(content.resolve(serviceID('acme/web'))).toEqual({
      instances: [
        { address: '192.0.2.1', priority: 0, weight: 1 },
        { address: '[2001:db8::1]:99', priority: 2, weight: 3 },
      ],
      lifetime: 1000,
      prefix: servicePrefix('acme/web'),
    });
    expect(content.resolve(serviceID('acme/db'))).toMatchObject({ lifetime: 7, idleTimeout: 5 });
    expect(content.resolve(serviceID('acme/none'))).toEqual({ instances: [], lifetime: 20 });
  });

  it('goes by the longest prefix, and says of how much the answer holds', () => {
    const content = file({ '*': ['192.0.2.1'], 'acme/*': ['192.0.2.2'], 'acme/web': ['192.0.2.3'], 'corp/*': [] });
    expect(addresses(content, 'acme/web')).toEqual(['192.0.2.3']);
    expect(addresses(content, 'acme/db')).toEqual(['192.0.2.2']);
    expect(addresses(content, 'other')).toEqual(['192.0.2.1']);
    expect(addresses(content, 'corp/web')).toEqual([]);
    // Others are for parts of these: the answer is for one service alone.
    expect(content.resolve(serviceID('acme/db')).prefix).toBeUndefined();
    expect(content.resolve(serviceID('other')).prefix).toBeUndefined();
    expect(content.resolve(serviceID('corp/web')).prefix).toEqual(servicePrefix('corp/*'));
  });

  it.each<[string, string]>([
    ['', 'JSON'],
    ['{"services": {"acme/web": ["192.0', 'JSON'],
    ['[]', 'the file must be an object'],
    ['{}', 'services must be an object'],
    ['{"services": {}, "ttl": 1}', '"ttl", which means nothing'],
    ['{"services": {"acme//web": []}}', 'empty component'],
    ['{"services": {"a": "192.0.2.1"}}', 'a must be an object'],
    ['{"services": {"a": {"addresses": []}}}', '"addresses", which means nothing'],
    ['{"services": {"a": ["web.example"]}}', 'no address'],
    ['{"services": {"a": [{"address": "192.0.2.1", "weight": -1}]}}', 'weight in a'],
    ['{"services": {"a": {"instances": [], "lifetime": "1 s"}}}', 'lifetime of a'],
    [`{"services": {"a": [], "${serviceID('a')}": []}}`, 'twice'],
  ])('refuses %s', (text, reason) => {
    expect(() => ServiceFile.parse(text)).toThrow(reason);
  });

  it('knows what has changed', () => {
    const before = file({ a: ['192.0.2.1'], b: ['192.0.2.1'], c: [] });
    const now = file({ a: ['192.0.2.1'], b: ['192.0.2.2'], d: [] });
    expect(now.differencesFrom(before)).toEqual(['b', 'd', 'c'].map(servicePrefix));
    expect(now.differencesFrom(now)).toEqual([]);
  });
});

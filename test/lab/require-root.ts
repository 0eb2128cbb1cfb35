// Network namespaces need root and a kernel that lets us make them. Tests that use them say so here: elsewhere
// they are skipped with the reason in their name; where SERVAL_REQUIRE_NAMESPACES=1 (CI) they fail instead.

import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

/** Like `describe`, for tests that make network namespaces. */
export function describeWithNamespaces(name: string, define: () => void): void {
  describeUnless(namespacesMissing(), name, define);
}

/** The same with firewalls and translators in them. */
export function describeWithFirewalls(name: string, define: () => void): void {
  describeUnless(namespacesMissing() ?? firewallsMissing(), name, define);
}

function describeUnless(reason: string | undefined, name: string, define: () => void): void {
  if (reason === undefined) {
    describe(name, define);
  } else if (process.env.SERVAL_REQUIRE_NAMESPACES === '1') {
    it(name, () => {
      throw new Error(`it is required here: ${reason}`);
    });
  } else {
    console.warn(`skipped: ${name}: ${reason}`);
    describe.skip(`${name} (skipped: ${reason})`, define);
  }
}

let probed: { readonly reason: string | undefined } | undefined;

/** Why namespaces cannot be made here, or undefined when they can. */
export function namespacesMissing(): string | undefined {
  probed ??= { reason: probe() };
  return probed.reason;
}

function firewallsMissing(): string | undefined {
  const listed = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' });
  if (listed.error !== undefined) return 'the nft command is missing (package nftables)';
  return listed.status === 0 ? undefined : `nft list tables failed: ${listed.stderr.trim()}`;
}

function probe(): string | undefined {
  if (process.platform !== 'linux') return `${process.platform} has no network namespaces`;
  if (process.getuid?.() !== 0) return 'not root';
  const namespace = `serval-probe-${process.pid}`;
  const added = spawnSync('ip', ['netns', 'add', namespace], { encoding: 'utf8' });
  if (added.error !== undefined) return 'the ip command is missing (package iproute2)';
  if (added.status !== 0) return `ip netns add failed: ${added.stderr.trim()}`;
  spawnSync('ip', ['netns', 'delete', namespace]);
  return undefined;
}

// A run second by second, as text: what all got, what each server gave, how even that was, and whether the processors
// had anything to spare.

import type { Conclusions, Second } from './conclusions';

export function secondsTable({ seconds, oneHost, levels, requests, failed, afterKill }: Conclusions): string {
  const servers = Math.max(...seconds.map((second) => second.servers.length));
  const heading = ['second', 'Mbit/s', 'requests', ...Array.from({ length: servers }, (_, index) => `server ${index}`)];
  const lines = [[...heading, 'fairness', 'CPU idle'], ...seconds.map(cells)];
  const text = lines.map((line) => line.map((cell) => cell.padStart(9)).join('')).join('\n');
  const { inFlight, later, lastLater } = afterKill;
  return [
    text,
    `one server gives ${megabits(oneHost)} Mbit/s; 2:4:2:3 servers ${levels.map((level) => level.toFixed(3)).join(' ')} times what they should`,
    `${requests} requests, ${failed} failed before the kill; at the kill ${inFlight} in flight, ${later} begun later (the last ${lastLater.toFixed(0)} ms)`,
  ].join('\n');
}

function cells({ at, total, answered, servers, fairness, idle }: Second): readonly string[] {
  return [
    String(at),
    megabits(total),
    String(answered),
    ...servers.map(megabits),
    fairness?.toFixed(4) ?? '',
    idle === undefined ? '' : `${Math.round(idle * 100)} %`,
  ];
}

function megabits(bits: number): string {
  return (bits / 1e6).toFixed(1);
}

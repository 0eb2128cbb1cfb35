// What a program gets from the package, by the names it uses.

import { EventEmitter } from 'node:events';
import type net from 'node:net';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import * as serval from '../../lib/index';
import { MemoryHost } from './memory-host';

test('the names that the documentation promises', () => {
  expect(Object.keys(serval)).toEqual(
    expect.arrayContaining([
      ...['Agent', 'DatagramSocket', 'ErrorCode', 'ServalError', 'Server', 'ServiceID', 'ServicePrefix', 'Socket'],
      ...['connect', 'contentServiceID', 'createConnection', 'createServer', 'createSocket', 'promises', 'serve'],
      ...['serviceID', 'servicePrefix'],
    ]),
  );
});

test('the classes work without new, with it, and are those of what the functions make', () => {
  const host = new MemoryHost();
  expect(serval.Server({ host })).toBeInstanceOf(serval.Server);
  expect(new serval.Server({ host })).toBeInstanceOf(EventEmitter);
  expect(serval.Socket()).toBeInstanceOf(Duplex);
  expect(serval.DatagramSocket()).toBeInstanceOf(serval.DatagramSocket);
  expect(serval.createServer({ host })).toBeInstanceOf(serval.Server);
  expect(serval.createSocket({ host })).toBeInstanceOf(serval.DatagramSocket);
  const socket = serval.connect('acme/web', { host });
  expect(socket).toBeInstanceOf(serval.Socket);
  socket.on('error', () => {}).destroy();
});

test('a socket is what net.Socket is, to the compiler', () => {
  const plain: net.Socket = new serval.Socket();
  const typed: serval.Socket = serval.Socket();
  const server: serval.Server = serval.createServer((socket) => socket.setNoDelay());
  expect([plain.readyState, typed.pending, server.listening]).toEqual(['open', true, false]);
});

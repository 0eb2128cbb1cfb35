// node:dgram speaks of addresses in text, the data path in words. The two are converted once for each
// address that is in use, not once a packet.

import { NetworkAddress } from '../wire/network-address';
import type { TransmitBatch } from '../wire/transmit-batch';
import { TransmitField } from '../wire/transmit-batch';

/** Peers come and go: past this many the memory starts afresh. */
const REMEMBERED_MAXIMUM = 4096;

export class AddressTexts {
  private readonly sources = new Map<string, NetworkAddress>();
  private readonly texts4 = new Map<number, string>();
  private lastDestination = NetworkAddress.fromWords(6, 0, 0, 0, 0, 0);

  /** The source of a message; `undefined` for one that could not be answered: it has a zone (fe80::1%eth0). */
  source(ip: string, port: number): NetworkAddress | undefined {
    const key = `${ip} ${port}`;
    const known = this.sources.get(key);
    if (known !== undefined) return known;
    const address = NetworkAddress.parse(ip, port);
    if (address === undefined) return undefined;
    if (this.sources.size >= REMEMBERED_MAXIMUM) this.sources.clear();
    this.sources.set(key, address);
    return address;
  }

  /** The IP address to which a row goes. */
  destination(batch: TransmitBatch, row: number): string {
    const word0 = batch.field(row, TransmitField.destinationIp);
    if (batch.field(row, TransmitField.destinationFamilyPort) >>> 16 === 6) return this.destination6(batch, row, word0);
    let text = this.texts4.get(word0);
    if (text === undefined) {
      text = NetworkAddress.fromWords(4, 0, word0, 0, 0, 0).ip;
      if (this.texts4.size >= REMEMBERED_MAXIMUM) this.texts4.clear();
      this.texts4.set(word0, text);
    }
    return text;
  }

  private destination6(batch: TransmitBatch, row: number, word0: number): string {
    const word1 = batch.field(row, TransmitField.destinationIp + 1);
    const word2 = batch.field(row, TransmitField.destinationIp + 2);
    const word3 = batch.field(row, TransmitField.destinationIp + 3);
    const last = this.lastDestination;
    if (last.word0 !== word0 || last.word1 !== word1 || last.word2 !== word2 || last.word3 !== word3) {
      this.lastDestination = NetworkAddress.fromWords(6, 0, word0, word1, word2, word3);
    }
    return this.lastDestination.ip;
  }
}

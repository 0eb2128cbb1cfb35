import type { Link } from '../../lib/link/link';
import { UdpLink } from '../../lib/link/udp-link';
import { type AddressFamily, NetworkAddress } from '../../lib/wire/network-address';
import { linkConformance } from './conformance';

const loopback = (link: Link, family: AddressFamily): NetworkAddress =>
  NetworkAddress.parse(family === 4 ? '127.0.0.1' : '::1', link.port)!;

linkConformance('the native UDP link', () => ({ a: new UdpLink(), b: new UdpLink(), addressOf: loopback }));

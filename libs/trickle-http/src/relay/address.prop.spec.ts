import { isIPv6 } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { addressKey } from './address.ts';

const ipv4 = fc.ipV4();
const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });

/** An address in full, without the short forms. */
const full = (numbers: readonly number[]) => numbers.map((number) => number.toString(16)).join(':');

/** The form that Node gives: the longest run of zero groups left out (RFC 5952). */
const short = (numbers: readonly number[]) => new URL(`http://[${full(numbers)}]`).hostname.slice(1, -1);

const isMapped = (numbers: readonly number[]) => numbers.slice(0, 5).every((group) => group === 0) && numbers[5] === 0xffff;

describe('the address that a connection counts for', () => {
  it('is an IPv4 address, also where it is mapped into IPv6', () => {
    expect(addressKey('192.0.2.7')).toBe('192.0.2.7');
    expect(addressKey('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(addressKey('::FFFF:192.0.2.7')).toBe('192.0.2.7');
    fc.assert(fc.property(ipv4, (address) => addressKey(`::ffff:${address}`) === addressKey(address)));
  });

  it('is the /64 of an IPv6 address', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  });

  it('is the same for all of a /64, in whatever form they are written, and another one for any other', () => {
    fc.assert(
      fc.property(groups, groups, (one, other) => {
        const neighbour = [...one.slice(0, 4), ...other.slice(4)];
        fc.pre(!isMapped(one) && !isMapped(other) && !isMapped(neighbour));
        expect(addressKey(full(neighbour))).toBe(addressKey(full(one)));
        expect(addressKey(short(one))).toBe(addressKey(full(one)));
        const same = one.slice(0, 4).join() === other.slice(0, 4).join();
        expect(addressKey(short(other)) === addressKey(short(one))).toBe(same);
      }),
    );
  });

  it('is never the same for an IPv4 and an IPv6 address', () => {
    fc.assert(
      fc.property(ipv4, fc.ipV6(), (four, six) => {
        fc.pre(isIPv6(six) && !isMapped(parts(six)));
        expect(addressKey(six)).not.toBe(addressKey(four));
      }),
    );
  });

  it('never throws, whatever a socket says', () => {
    expect(addressKey(undefined)).toBe('');
    fc.assert(fc.property(fc.string(), (text) => typeof addressKey(text) === 'string'));
  });
});

/** The groups of an IPv6 address in any form. */
function parts(address: string): number[] {
  const [head, tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [left, right] = [head, tail].map((side) => (side === '' ? [] : side.split(':').map((group) => Number.parseInt(group, 16))));
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

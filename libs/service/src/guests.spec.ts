import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createServer } from './server.ts';
import { GUEST_DEADLINE_MS, Guests } from './guests.ts';

class Silent extends Duplex {
  override _read(): void {}
  override _write(_bytes: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

afterEach(() => {
  jest.useRealTimers();
});

describe('a connection that is handed over', () => {
  it('is cut at its deadline, whatever it waits for', () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    const guests = new Guests(createServer().getInstance());
    const socket = new Silent();
    guests.accept(socket);
    jest.advanceTimersByTime(GUEST_DEADLINE_MS - 1);
    expect(socket.destroyed).toBe(false);
    jest.advanceTimersByTime(1);
    expect(socket.destroyed).toBe(true);
  });

  it('that has ended meanwhile is not taken over', () => {
    const guests = new Guests(createServer().getInstance());
    const socket = new Silent();
    socket.destroy();
    guests.accept(socket);
    expect(guests.has(socket)).toBe(false);
  });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createApiClient, type ApiClient } from './client.ts';

let server: Server;

/** A client of a server that answers everything alike. */
async function clientOf(status: number, body: string): Promise<ApiClient> {
  server = createServer((_, res) => res.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return createApiClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

describe('The API client', () => {
  it('throws the error that a problem+json answer stands for, with its fields and hint', async () => {
    const problem = { code: 'invalid_params', detail: 'They do not fit.', hint: 'Look.', errors: [{ path: 'color', message: 'is bad' }] };
    const client = await clientOf(422, JSON.stringify(problem));
    await expect(client.getSession('x')).rejects.toMatchObject({
      code: 'invalid_params',
      message: 'They do not fit. (color: is bad)',
      hint: 'Look.',
    });
  });

  it('takes a code that is none of ours for internal, also one that every object has', async () => {
    const client = await clientOf(500, JSON.stringify({ code: 'toString', detail: 'Odd.' }));
    await expect(client.getSession('x')).rejects.toMatchObject({ code: 'internal', message: 'Odd.', exitCode: 1 });
  });

  it.each([200, 502])('says in one line that an answer %i is not JSON', async (status) => {
    const client = await clientOf(status, '<html>a proxy</html>');
    const said = new RegExp(`^http://127.0.0.1:\\d+ answered ${status} with something that is not JSON\\.$`);
    await expect(client.getSession('x')).rejects.toMatchObject({ code: 'internal', message: expect.stringMatching(said) });
    if (status === 502) await expect(client.events('x', AbortSignal.timeout(5000))[Symbol.asyncIterator]().next()).rejects.toThrow(said);
  });

  it('does not believe an accepted update without a revision', async () => {
    const client = await clientOf(202, '{}');
    await expect(client.updateParams('x', {})).rejects.toThrow(/revision/);
  });
});

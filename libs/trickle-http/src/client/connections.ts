import * as http from 'node:http';
import * as https from 'node:https';
import { RunnelError } from '@runnel/errors';

/** Idle time after which the kernel asks whether a peer is still there. */
const TCP_KEEP_ALIVE_MS = 10_000;

/** Idle connections kept for the next segment. */
const MAX_FREE_SOCKETS = 8;

/** What the connections of a client have beyond their URL. */
export interface ConnectionsOptions {
  /** Sent with every request. */
  headers?: http.OutgoingHttpHeaders;
  /** Certificate authorities (PEM) to trust instead of the system's, for https. */
  ca?: string | Buffer;
}

/**
 * The connections of one client to one relay.
 *
 * Built on node:http and not on fetch or undici: a preconnected POST has to put its headers on the wire before its first byte
 * (`flushHeaders`), interim answers may come at any time, and each chunk has to leave as it is written. undici on both
 * sides had the later first byte at the median.
 */
export class Connections {
  readonly #url: () => string;
  readonly #headers: http.OutgoingHttpHeaders;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  /**
   * On a URL, or on the one that a function gives anew for each request; its scheme stays that of the first.
   * @throws RunnelError `invalid_request` when the URL is not http or https.
   */
  constructor(channelUrl: string | (() => string), options: ConnectionsOptions = {}) {
    const url = typeof channelUrl === 'string' ? () => channelUrl : channelUrl;
    const protocol = URL.parse(url())?.protocol;
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new RunnelError('invalid_request', { message: 'A channel URL begins with http:// or https://.' });
    }
    this.#url = url;
    this.#headers = options.headers ?? {};
    const agent: https.AgentOptions = { keepAlive: true, keepAliveMsecs: TCP_KEEP_ALIVE_MS, maxFreeSockets: MAX_FREE_SOCKETS };
    this.#agent = protocol === 'https:' ? new https.Agent({ ...agent, ca: options.ca }) : new http.Agent(agent);
    this.#request = protocol === 'https:' ? https.request : http.request;
  }

  /** Begins a request on the channel, or on what follows its URL (`/7`, `/next`). Nothing is sent until the caller does. */
  request(method: string, suffix: string, headers: http.OutgoingHttpHeaders = {}): http.ClientRequest {
    const url = this.#url().replace(/\/+$/, '') + suffix;
    return this.#request(url, { method, headers: { ...this.#headers, ...headers }, agent: this.#agent });
  }

  /** Sends a request without a body and reads its short answer. Rejects with the socket's error, or at the deadline. */
  exchange(method: string, suffix: string, deadlineMs: number): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const request = this.request(method, suffix);
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
      request.on('close', () => clearTimeout(timer));
      request.on('error', reject);
      request.on('response', (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
          if (body.length > MAX_SHORT_BODY) response.destroy(new Error('the answer is longer than any that is expected'));
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      request.end();
    });
  }

  /** Ends all connections, those in use included. */
  close(): void {
    this.#agent.destroy();
  }
}

/** More than any answer that `exchange` is for, in characters. */
const MAX_SHORT_BODY = 65_536;

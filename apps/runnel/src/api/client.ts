import { RunnelError, CATALOGUE, type ErrorCode } from '@runnel/errors';
import { ParamsAccepted, Session, SessionEvent, type ParamValues, type Problem } from '@runnel/schemas';
import { EventSourceParserStream } from 'eventsource-parser/stream';

/** Deadline of one request that is not a stream, ms. Longer than placing and starting a session may take with the broker's defaults (70 s). */
export const REQUEST_DEADLINE_MS = 80_000;

/** The broker's HTTP API, as the command line uses it. */
export interface ApiClient {
  createSession(body: { processor: string; params: ParamValues; output?: Record<string, number>; trace?: boolean }): Promise<Session>;
  getSession(id: string): Promise<Session>;
  updateParams(id: string, values: ParamValues): Promise<ParamsAccepted>;
  deleteSession(id: string): Promise<void>;
  /** The session's events from its first on, until it has ended or the signal aborts. */
  events(id: string, signal: AbortSignal): AsyncIterable<SessionEvent>;
}

/** Turns a problem+json answer into the error that it stands for. */
function problemError(status: number, body: Partial<Problem>): RunnelError {
  const code = (Object.hasOwn(CATALOGUE, body.code ?? '') ? body.code : 'internal') as ErrorCode;
  const fields = (body.errors ?? []).map((field) => `${field.path}: ${field.message}`).join('; ');
  const message = `${body.detail ?? `The API answered ${status}.`}${fields === '' ? '' : ` (${fields})`}`;
  return new RunnelError(code, { message, ...(body.hint === undefined ? {} : { hint: body.hint }) });
}

/** The JSON of an answer. @throws RunnelError `internal` for what is none: something else than the broker listens there. */
function parseAnswer(text: string, baseUrl: string, status: number): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch (cause) {
    throw new RunnelError('internal', { message: `${baseUrl} answered ${status} with something that is not JSON.`, cause });
  }
}

/** A client of the API at `baseUrl`. @throws RunnelError with the API's own code from every call; `edge_unreachable` when nobody answers. */
export function createApiClient(baseUrl: string): ApiClient {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${baseUrl}${path}`, {
        method,
        signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      text = await response.text();
    } catch (cause) {
      throw new RunnelError('edge_unreachable', {
        message: `No answer from ${baseUrl}.`,
        hint: 'Is it running? See: runnel start --help.',
        cause,
      });
    }
    const parsed = parseAnswer(text, baseUrl, response.status);
    if (!response.ok) throw problemError(response.status, parsed ?? {});
    return parsed;
  };
  return {
    createSession: async (body) => Session.parse(await call('POST', '/v1/sessions', body)),
    getSession: async (id) => Session.parse(await call('GET', `/v1/sessions/${encodeURIComponent(id)}`)),
    updateParams: async (id, values) => ParamsAccepted.parse(await call('PATCH', `/v1/sessions/${encodeURIComponent(id)}/params`, values)),
    deleteSession: async (id) => {
      await call('DELETE', `/v1/sessions/${encodeURIComponent(id)}`);
    },
    async *events(id, signal) {
      const response = await fetch(`${baseUrl}/v1/sessions/${encodeURIComponent(id)}/events`, {
        signal,
        headers: { accept: 'text/event-stream', 'last-event-id': '0' },
      });
      if (!response.ok || response.body === null)
        throw problemError(response.status, parseAnswer(await response.text(), baseUrl, response.status) ?? {});
      const messages = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const message of messages) {
        const event = SessionEvent.safeParse(JSON.parse(message.data));
        if (event.success) yield event.data;
      }
    },
  };
}

import { CATALOGUE, type ErrorCode } from '@runnel/errors';
import {
  CapabilityList,
  CreateSession,
  ListSessions,
  ParamsAccepted,
  ParamValues,
  Problem,
  Session,
  SessionEvent,
  SessionId,
  SessionList,
} from '@runnel/schemas';
import { z } from 'zod';
import { createDocument, type ZodOpenApiResponsesObject } from 'zod-openapi';

const PROBLEM = 'application/problem+json';
const withId = { path: z.strictObject({ id: SessionId }) };

/** OpenAPI 3.1 document of the HTTP API, from the schemas that also check requests. Committed as docs/reference/openapi.json. */
export function openApiDocument(): ReturnType<typeof createDocument> {
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Runnel',
      version: '1',
      description: 'Real-time AI on live video: start a session, publish video to its channel, change its parameters while it runs.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [{ name: 'sessions' }, { name: 'about' }],
    components: { schemas: { SessionEvent } },
    paths: {
      '/v1/sessions': {
        post: {
          operationId: 'createSession',
          tags: ['sessions'],
          summary: 'Start a session. Answers when its worker is ready to read.',
          requestBody: { required: true, content: json(CreateSession) },
          responses: {
            201: {
              description: 'The session runs.',
              headers: z.object({ Location: z.string().describe('Path of the session.') }),
              content: json(Session),
            },
            ...problems(
              'invalid_request',
              'payload_too_large',
              'unsupported_media_type',
              'unknown_processor',
              'invalid_params',
              'session_ended',
              'processor_failed',
              'model_failed',
              'no_capacity',
              'overloaded',
              'shutting_down',
              'deadline_exceeded',
            ),
          },
        },
        get: {
          operationId: 'listSessions',
          tags: ['sessions'],
          summary: 'List sessions, newest first. Ended ones are kept for an hour, at most 1000.',
          requestParams: { query: ListSessions },
          responses: { 200: { description: 'A page of sessions.', content: json(SessionList) }, ...problems('invalid_request') },
        },
      },
      '/v1/sessions/{id}': {
        get: {
          operationId: 'getSession',
          tags: ['sessions'],
          summary: 'Look at a session.',
          requestParams: withId,
          responses: { 200: { description: 'The session.', content: json(Session) }, ...problems('session_not_found') },
        },
        delete: {
          operationId: 'deleteSession',
          tags: ['sessions'],
          summary: 'Stop a session. Answers once it has ended; a second time likewise.',
          requestParams: withId,
          responses: { 200: { description: 'The ended session.', content: json(Session) }, ...problems('session_not_found') },
        },
      },
      '/v1/sessions/{id}/params': {
        patch: {
          operationId: 'updateParams',
          tags: ['sessions'],
          summary: 'Change some parameters while the session runs. The event params_applied tells from which frame on they hold.',
          requestParams: withId,
          requestBody: { required: true, content: json(ParamValues) },
          responses: {
            202: { description: 'Accepted, not yet applied. All values as they will be.', content: json(ParamsAccepted) },
            ...problems(
              'invalid_request',
              'session_not_found',
              'session_ended',
              'session_not_ready',
              'payload_too_large',
              'unsupported_media_type',
              'invalid_params',
              'overloaded',
              'deadline_exceeded',
            ),
          },
        },
      },
      '/v1/sessions/{id}/events': {
        get: {
          operationId: 'followEvents',
          tags: ['sessions'],
          summary: "Follow a session's events from its first on. Ends after the session_state event 'ended'.",
          requestParams: {
            ...withId,
            header: z.object({ 'Last-Event-ID': z.string().optional().describe('Replay what came after this event, of the last 512.') }),
          },
          responses: {
            200: {
              description: 'Server-sent events; `data` is a SessionEvent or an event of another type that only the worker knows.',
              content: { 'text/event-stream': { schema: z.string() } },
            },
            ...problems('session_not_found', 'overloaded'),
          },
        },
      },
      '/v1/capabilities': {
        get: {
          operationId: 'listCapabilities',
          tags: ['about'],
          summary: 'The processors on offer, with the JSON Schema of their parameters.',
          responses: { 200: { description: 'What can be asked for now.', content: json(CapabilityList) }, ...problems() },
        },
      },
      '/v1/openapi.json': {
        get: {
          operationId: 'getOpenApi',
          tags: ['about'],
          summary: 'This document.',
          responses: {
            200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: z.looseObject({}) } } },
            ...problems(),
          },
        },
      },
    },
  });
}

function json<S extends z.ZodType>(schema: S): { 'application/json': { schema: S } } {
  return { 'application/json': { schema } };
}

/** One response for each status, which tells the codes that it can carry. */
function problems(...codes: ErrorCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(codes, (code) => CATALOGUE[code].status);
  const named = [...byStatus].map(([status, group]) => {
    const description = group.map((code) => `\`${code}\`: ${CATALOGUE[code].title}.`).join(' ');
    return [String(status), { description, content: { [PROBLEM]: { schema: Problem } } }] as const;
  });
  const description = 'Any other error, of the request as such or of a part behind it: see the code.';
  return { ...Object.fromEntries(named), default: { description, content: { [PROBLEM]: { schema: Problem } } } };
}

import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { RunnelError } from '@runnel/errors';
import { CreateSession, ListSessions, ParamValues, type ParamsAccepted, type Session, type SessionList } from '@runnel/schemas';
import { ZodPipe } from '@runnel/service';
import type { FastifyReply } from 'fastify';
import type { SessionManager } from '../domain/session-manager.ts';
import { streamEvents } from './sse.ts';
import { SESSION_MANAGER } from './tokens.ts';

/** Clients that may follow one session's events at once. */
const MAX_FOLLOWERS = 64;

/** `/v1/sessions`: HTTP around the session manager, nothing more. The documented shape is in openapi.ts. */
@Controller('v1/sessions')
export class SessionsController {
  readonly #sessions: SessionManager;

  constructor(@Inject(SESSION_MANAGER) sessions: SessionManager) {
    this.#sessions = sessions;
  }

  /**
   * 201 once a worker has accepted the session and its channels can be used. A client that has left meanwhile leaves no session behind.
   * @throws RunnelError `unknown_processor`, `invalid_params`, `no_capacity`.
   */
  @Post()
  async create(@Body(new ZodPipe(CreateSession)) body: CreateSession, @Res({ passthrough: true }) reply: FastifyReply): Promise<Session> {
    const session = await this.#sessions.create(body);
    // Nobody has learned its id, so nobody could ever stop it.
    if (reply.raw.destroyed) return this.#sessions.remove(session.id);
    reply.header('location', `/v1/sessions/${session.id}`);
    return session;
  }

  /** A page of sessions, newest first. @throws RunnelError `invalid_request` for a cursor that is not ours. */
  @Get()
  list(@Query(new ZodPipe(ListSessions)) query: ListSessions): SessionList {
    return this.#sessions.list(query);
  }

  /** One session, for an hour after its end too. @throws RunnelError `session_not_found`. */
  @Get(':id')
  get(@Param('id') id: string): Session {
    return this.#sessions.get(id);
  }

  /**
   * 202: checked and written to the control channel; the event `params_applied` tells when it is in force.
   * @throws RunnelError `invalid_params`, `session_not_ready`, `session_ended`.
   */
  @Patch(':id/params')
  @HttpCode(202)
  async updateParams(@Param('id') id: string, @Body(new ZodPipe(ParamValues)) body: ParamValues): Promise<ParamsAccepted> {
    return this.#sessions.updateParams(id, body);
  }

  /** Ends a session and answers with it once it has ended. Idempotent. @throws RunnelError `session_not_found`. */
  @Delete(':id')
  async remove(@Param('id') id: string): Promise<Session> {
    return this.#sessions.remove(id);
  }

  /**
   * Server-sent events from the first kept one on, or from behind `Last-Event-ID`.
   * @throws RunnelError `overloaded` beyond `MAX_FOLLOWERS`.
   */
  @Get(':id/events')
  events(@Param('id') id: string, @Headers('last-event-id') lastEventId: string | undefined, @Res() reply: FastifyReply): void {
    const { log } = this.#sessions.record(id);
    if (log.followers >= MAX_FOLLOWERS) {
      throw new RunnelError('overloaded', { message: `${MAX_FOLLOWERS} clients already follow this session.` });
    }
    streamEvents(reply, log, /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : 0);
  }
}

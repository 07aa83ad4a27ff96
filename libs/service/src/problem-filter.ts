import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from './logger.ts';
import { toHttpError } from './problem.ts';
import { sendProblem } from './server.ts';

/** Turns whatever a handler, a pipe, the router or the body parser throws into problem+json. Only our own faults are logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
    const error = toHttpError(thrown);
    if (error.code === 'internal') {
      this.#logger.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed inside');
    }
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    sendProblem(reply, error, request.url.split('?', 1)[0]);
  }
}

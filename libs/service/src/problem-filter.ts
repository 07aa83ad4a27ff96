import { Catch, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { RunnelError } from '@runnel/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AllowedMethods } from './allowed-methods.ts';
import type { Logger } from './logger.ts';
import { toHttpError } from './problem.ts';
import { sendProblem } from './server.ts';

/** Turns whatever a handler, a pipe, the router or the body parser throws into problem+json. Only our own faults are logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;
  readonly #allowed: AllowedMethods;

  constructor(options: { logger: Logger; allowed: AllowedMethods }) {
    this.#logger = options.logger;
    this.#allowed = options.allowed;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
    const path = request.url.split('?', 1)[0];
    const error = this.#wrongMethod(thrown, { method: request.method, path }, reply) ?? toHttpError(thrown);
    if (error.code === 'internal') {
      this.#logger.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed inside');
    }
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    sendProblem(reply, error, path);
  }

  /** The router knows no method of its own: what it does not find may be there for others. */
  #wrongMethod(thrown: unknown, { method, path }: { method: string; path: string }, reply: FastifyReply): RunnelError | null {
    if (!(thrown instanceof NotFoundException)) return null;
    const methods = this.#allowed.of(path);
    if (methods.length === 0) return null;
    reply.header('allow', methods.join(', '));
    return new RunnelError('method_not_allowed', { message: `${method} is not possible here; ${methods.join(', ')} is.` });
  }
}

import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { CapabilityList } from '@runnel/schemas';
import type { SessionManager } from '../domain/session-manager.ts';
import { openApiDocument } from './openapi.ts';
import { SESSION_MANAGER } from './tokens.ts';

/** What can be asked for, and how: `/v1/capabilities` and `/v1/openapi.json`. */
@Controller('v1')
export class MetaController {
  readonly #sessions: SessionManager;
  readonly #document = openApiDocument();

  constructor(@Inject(SESSION_MANAGER) sessions: SessionManager) {
    this.#sessions = sessions;
  }

  /** What living workers offer, each processor once, slots added up. */
  @Get('capabilities')
  capabilities(): CapabilityList {
    return { items: this.#sessions.capabilities() };
  }

  /** The OpenAPI 3.1 document of this API; the same as docs/reference/openapi.json. */
  @Get('openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  openapi(): object {
    return this.#document;
  }
}

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

  @Get('capabilities')
  capabilities(): CapabilityList {
    return { items: this.#sessions.capabilities() };
  }

  @Get('openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  openapi(): object {
    return this.#document;
  }
}

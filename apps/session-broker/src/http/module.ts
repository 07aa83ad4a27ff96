import { Module, type DynamicModule } from '@nestjs/common';
import type { SessionManager } from '../domain/session-manager.ts';
import { MetaController } from './meta.controller.ts';
import { SessionsController } from './sessions.controller.ts';
import { SESSION_MANAGER } from './tokens.ts';

@Module({})
class SessionBrokerModule {}

/** The HTTP API around a session manager that already runs. */
export function sessionBrokerModule(sessions: SessionManager): DynamicModule {
  return {
    module: SessionBrokerModule,
    controllers: [SessionsController, MetaController],
    providers: [{ provide: SESSION_MANAGER, useValue: sessions }],
  };
}

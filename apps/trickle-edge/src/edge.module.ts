import { type DynamicModule, Module } from '@nestjs/common';
import type { Bus } from '@runnel/bus';
import type { Logger } from '@runnel/service';
import { EdgeService } from './edge.service.ts';
import type { SessionChannels } from './session-channels.ts';
import { BUS_TOKEN, LOGGER_TOKEN, SESSION_CHANNELS_TOKEN } from './tokens.ts';

/** What the module is made of. */
export interface EdgeModuleOptions {
  bus: Bus;
  logger: Logger;
  channels: SessionChannels;
}

/** The edge's control side: the bus on one hand, the channels of sessions on the other. */
@Module({})
export class EdgeModule {
  /** The module on a given bus and given channels. */
  static register({ bus, logger, channels }: EdgeModuleOptions): DynamicModule {
    return {
      module: EdgeModule,
      providers: [
        { provide: BUS_TOKEN, useValue: bus },
        { provide: LOGGER_TOKEN, useValue: logger },
        { provide: SESSION_CHANNELS_TOKEN, useValue: channels },
        EdgeService,
      ],
    };
  }
}

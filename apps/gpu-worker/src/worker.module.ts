import { Module, type DynamicModule } from '@nestjs/common';
import type { Bus } from '@runnel/bus';
import type { Logger } from '@runnel/service';
import type { GpuWorkerConfig } from './config.ts';
import { BUS_TOKEN, CONFIG_TOKEN, LOGGER_TOKEN } from './tokens.ts';
import { WorkerService } from './worker.service.ts';

/** What a worker needs from whoever composes it. */
export interface GpuWorkerOptions {
  bus: Bus;
  logger: Logger;
  config: GpuWorkerConfig;
}

/** Root module of a worker: no controllers, as it is reached over the bus alone. */
@Module({})
export class WorkerModule {
  /** The module on a given bus, with a given configuration. */
  static register({ bus, logger, config }: GpuWorkerOptions): DynamicModule {
    return {
      module: WorkerModule,
      providers: [
        { provide: BUS_TOKEN, useValue: bus },
        { provide: LOGGER_TOKEN, useValue: logger },
        { provide: CONFIG_TOKEN, useValue: config },
        WorkerService,
      ],
    };
  }
}

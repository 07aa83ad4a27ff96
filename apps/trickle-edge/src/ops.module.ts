import { Module } from '@nestjs/common';

/** Probes and metrics alone: the relay serves its own port. */
@Module({})
export class OpsModule {}

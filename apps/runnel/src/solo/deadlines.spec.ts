import { describe, expect, it } from '@jest/globals';
import { GpuWorkerConfigSchema } from '@runnel/gpu-worker';
import { CONNECTION_TIMEOUT_MS, loadConfig } from '@runnel/service';
import { SessionBrokerConfigSchema } from '@runnel/session-broker';
import { REQUEST_DEADLINE_MS } from '../api/client.ts';

describe('The deadlines of a start', () => {
  it('grow from the inside out, so that a slow model is waited for and whoever fails first can say why', () => {
    const worker = loadConfig(GpuWorkerConfigSchema, {});
    const broker = loadConfig(SessionBrokerConfigSchema, {});
    expect(broker.BROKER_START_DEADLINE_MS).toBeGreaterThan(worker.WORKER_START_DEADLINE_MS);
    expect(REQUEST_DEADLINE_MS).toBeGreaterThan(broker.BROKER_PLACE_DEADLINE_MS + broker.BROKER_START_DEADLINE_MS);
    expect(CONNECTION_TIMEOUT_MS).toBeGreaterThan(REQUEST_DEADLINE_MS);
  });
});

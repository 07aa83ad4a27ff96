export type { Bus, BusStats, EventDef, EventHandler, RequestDef, RequestHandler, RequestOptions, Subscription, Vars } from './port.ts';
export { createMemoryBus, type MemoryBusOptions } from './memory-bus.ts';
export { ANY } from './subject.ts';
export { MAX_MESSAGE_BYTES } from './wire.ts';

export * from './session.ts';
export * from './events.ts';
export * from './bus.ts';

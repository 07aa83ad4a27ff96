export * from './frames.ts';
export type * from './driver.ts';

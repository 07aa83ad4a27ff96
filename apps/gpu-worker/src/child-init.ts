import type { StartSession } from '@runnel/schemas';
import type { FramePathTuning } from '@runnel/worker';

/** What a session's child is started with. */
export interface ChildInit {
  session: Pick<StartSession, 'processor' | 'params' | 'output' | 'trace'>;
  /** From `processorModules`. */
  modules: string[];
  tuning: Partial<FramePathTuning>;
}

/** Columns of the bar itself. */
const BAR_COLUMNS = 28;
/** A terminal is redrawn at most this often; a log gets a line every 2 s. */
const REDRAW_MS = { terminal: 100, log: 2000 } as const;

/** How far a task is. */
export interface ProgressState {
  done: number;
  total: number;
  /** A few words such as "143 frames". */
  note: string;
}

/** One line on stderr that shows how far a task is: redrawn in place on a terminal, a line now and then in a log. */
export interface Progress {
  update(state: ProgressState): void;
  /** Writes a line of its own above the bar. */
  note(line: string): void;
  /** Leaves the last state standing and ends the line. Idempotent. */
  finish(): void;
}

/** `label     [#########.......]  41 %  note` */
export function renderBar(label: string, { done, total, note }: ProgressState): string {
  const share = total <= 0 ? 0 : Math.min(1, Math.max(0, done / total));
  const filled = Math.round(share * BAR_COLUMNS);
  const percent = String(Math.round(share * 100)).padStart(3);
  return `${label.padEnd(10)} [${'#'.repeat(filled)}${'.'.repeat(BAR_COLUMNS - filled)}] ${percent} %  ${note}`;
}

/** Starts a progress line; `quiet` shows nothing (for --json). */
export function startProgress(options: { label: string; quiet: boolean }): Progress {
  const terminal = process.stderr.isTTY;
  let drawnAt = -Infinity;
  let last: string | null = null;
  const draw = (line: string) => process.stderr.write(terminal ? `\r\u001B[K${line}` : `${line}\n`);
  return {
    update(state) {
      if (options.quiet) return;
      last = renderBar(options.label, state);
      const now = performance.now();
      if (now - drawnAt < REDRAW_MS[terminal ? 'terminal' : 'log']) return;
      drawnAt = now;
      draw(last);
    },
    note(line) {
      if (options.quiet) return;
      process.stderr.write(terminal ? `\r\u001B[K${line}\n${last ?? ''}` : `${line}\n`);
    },
    finish() {
      if (last === null) return;
      draw(last);
      if (terminal) process.stderr.write('\n');
      last = null;
    },
  };
}

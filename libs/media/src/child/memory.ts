import { readFile } from 'node:fs/promises';

/** How often the memory of a child is looked at. */
const MEMORY_CHECK_EVERY_MS = 500;
/** Size of a memory page on the platforms of `readRssMb`. */
const PAGE_BYTES = 4096;

/** Resident memory of a process in MiB from /proc/<pid>/statm (proc(5)); null where there is no such file. */
async function readRssMb(pid: number): Promise<number | null> {
  try {
    const pages = Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
    return Number.isFinite(pages) ? (pages * PAGE_BYTES) / 2 ** 20 : null;
  } catch {
    return null;
  }
}

/** Calls `onExceeded` once when the process holds more than `capMb`; returns what ends the watch. */
export function watchMemory(pid: number, capMb: number, onExceeded: (rssMb: number) => void): () => void {
  let reading = false;
  const timer = setInterval(() => {
    if (reading) return;
    reading = true;
    readRssMb(pid).then(
      (rssMb) => {
        reading = false;
        if (rssMb === null || rssMb <= capMb) return;
        clearInterval(timer);
        onExceeded(rssMb);
      },
      () => undefined,
    );
  }, MEMORY_CHECK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

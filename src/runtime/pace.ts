/**
 * Whether a plan gains by threads, here and now. Others may be using the processor, and two threads on one core are slower
 * than one; nor does every plan gain. Runs are timed, and the quicker way is taken; what comes out is the same both ways.
 */
export class Pace {
  /** Milliseconds of the last runs, on one thread and on all. */
  private alone: number[] = [];
  private together: number[] = [];
  /** Runs to go on one thread before all are tried again, and how many the next time. */
  private rest = 0;
  private pause = SHORT_PAUSE;
  private runs = 0;
  private last = 0;

  /** True when the next run is for all threads; `ready`: they are there. */
  divides(ready: boolean): boolean {
    if (!ready) return true;
    if (this.rest > 0) return false;
    // Long runs begin with all threads: who waits for a few of them should not wait twice as long for some.
    const begin = this.alone.length >= 2 || (this.last >= LONG_RUN && this.runs < LONG_BEGIN);
    return begin && this.runs % CHECK_EVERY !== CHECK_EVERY - 1;
  }

  /** Takes the time of a run. */
  note(divided: boolean, ready: boolean, ms: number): void {
    this.runs++;
    this.last = ms;
    // Before the others are there, all threads are one.
    if (!ready) return;
    const list = divided ? this.together : this.alone;
    list.push(ms);
    if (list.length > KEPT) list.shift();
    if (!divided) {
      if (this.rest > 0 && --this.rest === 0) this.together = [];
    } else if (list.length === KEPT) {
      if (Math.min(...list) <= GAIN * Math.min(...this.alone)) this.pause = SHORT_PAUSE;
      else {
        this.rest = this.pause;
        this.pause = Math.min(2 * this.pause, LONG_PAUSE);
      }
    }
  }
}

/** Runs of each kind that are remembered: the quickest of them counts. */
const KEPT = 3;
/** Of the time on one thread: what all threads must stay below. */
const GAIN = 0.97;
/** Runs on one thread after all threads were no quicker; each time twice as many. */
const SHORT_PAUSE = 16;
const LONG_PAUSE = 256;
/** Milliseconds of a run that is long, and runs after which even a long one is tried on one thread. */
const LONG_RUN = 20;
const LONG_BEGIN = 24;
/** One run in so many is on one thread, to see what that would take. */
const CHECK_EVERY = 128;

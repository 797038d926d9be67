/**
 * Whether a plan gains by threads, here and now. Others may be using the processor, and two threads on one core are slower
 * than one; nor does every plan gain. Runs are timed, and the quicker way is taken; what comes out is the same both ways.
 */
export class Pace {
  /** Milliseconds of the last runs on one thread. */
  private alone: number[] = [];
  /** Of the runs on all threads since the last judgement: the quickest, how many, and their milliseconds together. */
  private best = Infinity;
  private count = 0;
  private spent = 0;
  /** Runs to go on one thread before all are tried again, and how many the next time. */
  private rest = 0;
  private pause = SHORT_PAUSE;
  /** The runs to go are there to see what one thread takes now. */
  private doubt = false;
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
    if (divided) {
      this.best = Math.min(this.best, ms);
      this.count++;
      this.spent += ms;
      if (this.count >= KEPT && this.spent >= TRIAL) this.judge();
    } else {
      this.alone = [...this.alone.slice(1 - KEPT), ms];
      if (this.rest > 0 && --this.rest === 0 && this.doubt) this.judge();
    }
  }

  private judge(): void {
    const pays = this.best <= GAIN * Math.min(...this.alone);
    // The machine may have become slower for both: before a rest, one thread is timed at the same time.
    const sure = pays || this.doubt;
    this.doubt = !sure;
    if (!sure) {
      this.rest = KEPT;
      return;
    }
    this.rest = pays ? 0 : this.pause;
    this.pause = pays ? SHORT_PAUSE : Math.min(2 * this.pause, LONG_PAUSE);
    this.best = Infinity;
    this.count = this.spent = 0;
  }
}

/** Runs of each kind that are compared at least: the quickest of them counts. */
const KEPT = 3;
/** Milliseconds of runs on all threads that are compared: those that sleep need some tenths of one to wake up. */
const TRIAL = 1;
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

/** Where a command writes: the process's own streams, or strings in a test. */
export interface Terminal {
  readonly write: (text: string) => void;
  readonly error: (text: string) => void;
  /** Lines can be overwritten. */
  readonly live: boolean;
  readonly colour: boolean;
  readonly columns: number;
  /** Aborted by the first Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** The terminal of this process. The first Ctrl-C asks commands to stop, the second ends the process at once. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    stderr.write("\nstopping after this step (Ctrl-C again: at once) …\n");
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const live = stdout.isTTY && env.TERM !== "dumb";
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "0";
  return {
    write: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
    live,
    colour: forced || (live && env.NO_COLOR === undefined),
    columns: stdout.columns ?? 100,
    interrupted: controller.signal,
  };
}

/** One line that is overwritten on a terminal; elsewhere a line now and then. */
export class StatusLine {
  private readonly terminal: Terminal;
  private readonly liveMs: number;
  private readonly plainMs: number;
  private last = 0;
  private drawn = false;

  constructor(terminal: Terminal, liveMs = 100, plainMs = 5000) {
    this.terminal = terminal;
    this.liveMs = liveMs;
    this.plainMs = plainMs;
    this.last = performance.now();
  }

  /** Shows the line when it is time again. */
  update(line: () => string): void {
    const now = performance.now();
    const { live, write } = this.terminal;
    if (now - this.last < (live ? this.liveMs : this.plainMs)) return;
    this.last = now;
    this.drawn = live;
    write(live ? `\r${line()}\x1b[K` : `${line()}\n`);
  }

  /** Replaces the line by one that stays. */
  finish(line: string): void {
    this.clear();
    this.terminal.write(`${line}\n`);
  }

  /** Removes the line. */
  clear(): void {
    if (this.drawn) this.terminal.write("\r\x1b[K");
    this.drawn = false;
  }
}

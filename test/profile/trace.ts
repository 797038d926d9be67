import type { ProfileReport } from "../../src/profile/index.ts";

/** A trace as its readers see it. */
interface Trace {
  readonly traceEvents: readonly {
    readonly ph: string;
    readonly tid: number;
    readonly name: string;
    readonly cat?: string;
    readonly ts: number;
    readonly dur: number;
    readonly args?: Record<string, unknown>;
  }[];
}

export const traceOf = (r: ProfileReport): Trace => JSON.parse(r.trace()) as Trace;

// The timeline in the format of chrome://tracing (Trace Event Format, JSON object form), which Perfetto reads, too.
import type { Recording } from "./report.ts";

interface TraceEvent {
  readonly ph: "M" | "X";
  readonly pid: 1;
  readonly tid: number;
  readonly name: string;
  readonly cat?: string;
  /** Microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, string | number>>;
}

/**
 * All that was kept, as JSON: a lane a thread. The calling thread's holds steps, compilations and runs of programs, with its
 * kernels inside of them; the others' hold kernels.
 */
export function traceJson(recording: Recording): string {
  const { steps, runs, compilations } = recording;
  const begin = Math.min(
    ...[steps, runs, compilations].map((list) => list.reduce((least, x) => Math.min(least, x.start), Infinity)),
  );
  const span = (tid: number, cat: string, name: string, from: number, to: number, args?: TraceEvent["args"]): string =>
    line({ ph: "X", pid: 1, tid, name, cat, ts: micro(from - begin), dur: micro(to - from), args });
  const lines = lanes(recording);
  if (recording.stepwise) steps.forEach((s, i) => lines.push(span(0, "step", `step ${i + 1}`, s.start, s.end)));
  for (const c of compilations)
    lines.push(span(0, "compile", `compile program ${c.program.number}`, c.start, c.end, about(c.program)));
  for (const r of runs) {
    lines.push(span(0, "program", `program ${r.program.number}`, r.start, r.end, about(r.program)));
    const { kernels } = r.program.info;
    r.threads.forEach((stamps, tid) => {
      for (let i = 0; 2 * i < stamps.length; i++) {
        const [from, to] = [stamps[2 * i], stamps[2 * i + 1]];
        if (to === 0) continue;
        const k = kernels[r.order[i]];
        lines.push(span(tid, k.kind, k.name, from, to, { loops: k.loops, flops: k.flops, bytes: k.bytes }));
      }
    });
  }
  const head = JSON.stringify({ device: recording.device, "runs left out": recording.lost });
  return `{"displayTimeUnit":"ms","otherData":${head},"traceEvents":[\n${lines.join(",\n")}\n]}\n`;
}

/** Names of the process and of the lanes, and their order. */
function lanes({ device, threads }: Recording): string[] {
  const name = (tid: number, what: string, args: TraceEvent["args"]): string =>
    line({ ph: "M", pid: 1, tid, name: what, args });
  const out = [name(0, "process_name", { name: `chainrule, ${device}` })];
  for (let t = 0; t < threads; t++) {
    out.push(name(t, "thread_name", { name: t === 0 ? "thread 0 (JavaScript)" : `thread ${t}` }));
    out.push(name(t, "thread_sort_index", { sort_index: t }));
  }
  return out;
}

const about = ({ info }: Recording["programs"][number]): TraceEvent["args"] => ({
  kernels: info.kernels.length,
  arenaBytes: info.arenaBytes,
});

/** Milliseconds to microseconds, to the nanosecond. */
const micro = (ms: number): number => Math.round(ms * 1e6) / 1e3;

const line = (event: TraceEvent): string => JSON.stringify(event);

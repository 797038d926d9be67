import { TraceError } from "../base/index.ts";
import { currentTrace, type Tensor, traced } from "../tensor/index.ts";

/** What several operations make, as one program when run at once. */
export const fused = (f: () => Tensor): Tensor => traced(() => [f().node])[0];

/** Throws where values are not known: for results whose size depends on them. */
export function needsValues(op: string, repair: string): void {
  const trace = currentTrace();
  if (trace === null || (!trace.deferred && !trace.inBody)) return;
  throw new TraceError(
    `[${op}] the size of its result depends on values, which are not known inside ${trace.inBody ? "the body of scan()" : "compiled()"}: ${repair}.`,
  );
}

/** Reading a symbolic tensor: possible while a graph is recorded that is run as soon as it is complete. */
import { hostArray, TraceError } from "../base/index.ts";
import { withContext } from "../base/context.ts";
import { isOp, type Node } from "../ir/index.ts";
import { executor, type Value } from "./executor.ts";
import { close, currentTrace, runRecorded, Trace } from "./trace.ts";

/** Whether a symbolic tensor could be read here. */
export const canRealise = (): boolean => {
  const trace = currentTrace();
  return trace !== null && !trace.deferred && !trace.inBody;
};

/** The value of a symbolic node, when nothing it needs is abstract: reading inside grad(), outside compiled(). */
export function realise(node: Node): Value {
  if (isOp(node, "const")) return executor().fromHost(hostArray(node.dtype, 1).fill(node.attrs.value), [], node.dtype);
  const trace = currentTrace();
  if (trace === null) {
    throw new TraceError(
      "This tensor was made inside a compiled function or a gradient and has no value outside: return it from the function " +
        "(hasAux in valueAndGrad).",
    );
  }
  if (!canRealise()) {
    throw new TraceError(
      `A tensor's value was asked for inside ${trace.inBody ? "the body of scan()" : "compiled()"}: there only shapes are known. ` +
        "Return the tensor and read it outside, or use where() instead of an if on its value.",
    );
  }
  const frozen = new Trace();
  for (const [leaf, source] of trace.captured) frozen.captured.set(leaf, source);
  return withContext({ trace: null, nodes: null }, () => runRecorded(close(frozen, [node]))[0]);
}

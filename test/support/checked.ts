import type { TypedArray } from "../../src/base/index.ts";
import { context } from "../../src/base/context.ts";
import { interpret } from "../../src/codegen/interp/index.ts";
import { printGraph } from "../../src/ir/index.ts";
import { type Executor, executor, type Graph, type Program, type Value } from "../../src/tensor/executor.ts";
import { difference, largest } from "./compare.ts";
import { verifyLowered } from "./verify.ts";

/** Rounding may move a result by this much of its largest element, and by this often what it moves the interpreter. */
const OF_LARGEST = 1e-4;
const OF_ERROR = 30;

/**
 * The engine, with every run of every program repeated by the interpreter and compared: any code on the public interface
 * becomes a test of the engine. Counts the programs run; throws with the graph at the first difference.
 */
class CheckedExecutor implements Executor {
  runs = 0;
  observer = null;
  private readonly engine: Executor;

  constructor(engine: Executor = executor()) {
    this.engine = engine;
  }

  fromHost: Executor["fromHost"] = (data, shape, dtype) => this.engine.fromHost(data, shape, dtype);

  compile(graph: Graph): Program {
    verifyLowered(graph);
    const program = this.engine.compile(graph);
    return {
      explain: () => program.explain(),
      plan: program.plan,
      run: (inputs) => this.compare(graph, program, inputs),
    };
  }

  private compare(graph: Graph, program: Program, inputs: readonly Value[]): Value[] {
    const leaves = new Map(graph.inputs.map((n, i) => [n, inputs[i].read()]));
    const results = program.run(inputs);
    this.runs++;
    const all = [...graph.outputs, ...graph.updates.map((u) => u.value)];
    const got: TypedArray[] = [...results, ...graph.updates.map((u) => inputs[u.input])].map((v) => v.read());
    const wide = interpret(all, leaves, { precision: "float64" });
    const near = interpret(all, leaves, { precision: "native" });
    all.forEach((n, i) => {
      const error = largest(wide[i].map((v, k) => v - near[i][k]));
      const absolute = OF_LARGEST * largest(wide[i]) + OF_ERROR * error + 1e-7;
      const why = difference(got[i], wide[i], n.dtype, { relative: 0, absolute });
      if (why !== null)
        throw new Error(`result ${i} of ${all.length} (${n.op}): ${why}\n${printGraph(all)}\n${program.explain()}`);
    });
    return results;
  }
}

/** Runs `f` with every program checked; returns how many runs there were. */
export function checked(f: () => void): number {
  const before = context.executor;
  const checking = new CheckedExecutor();
  context.executor = checking;
  try {
    f();
  } finally {
    context.executor = before;
  }
  return checking.runs;
}

import { type DType, TraceError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import { eagerly } from "./apply.ts";
import { asTensor, type TensorLike } from "./convert.ts";
import { executor, type Value } from "./executor.ts";
import { realise } from "./realise.ts";
import { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";

/** Options of `variable`. */
export interface VariableOptions {
  /** What errors, summaries and files call it. Default: "". */
  readonly name?: string;
  /** Whether optimizers change it. Default: true. */
  readonly trainable?: boolean;
}

/**
 * A tensor whose value changes in place: a parameter, an optimizer's moment, a running mean. `assign` inside a compiled
 * function becomes an in-place update of the step.
 */
export class Variable extends Tensor {
  name: string;
  trainable: boolean;
  /** What optimizers put each new value through: its nearest allowed one; null for none (see the constraints of `nn`). */
  constraint: ((w: Tensor) => Tensor) | null = null;

  constructor(initial: Tensor, options: VariableOptions = {}) {
    const host = initial.value;
    super(
      build.leaf(initial.shape, initial.dtype, options.name ?? ""),
      executor().fromHost(host.read(), initial.shape, initial.dtype),
    );
    this.name = options.name ?? "";
    this.trainable = options.trainable ?? true;
  }

  /** The leaf that stands for this variable in every graph. */
  get leaf(): Node {
    return this.self;
  }

  /** The declared dtype; that of the stand-in while a gradient check runs in float64. */
  override get dtype(): DType {
    return currentTrace()?.assigned.get(this)?.dtype ?? this.self.dtype;
  }

  override get node(): Node {
    const trace = currentTrace();
    if (trace === null) return this.self;
    trace.captured.set(this.self, this);
    return trace.assigned.get(this) ?? this.self;
  }

  /** The value now; inside a trace, what was assigned there. Throws TraceError inside `compiled`. */
  override get value(): Value {
    const trace = currentTrace();
    if (trace === null) return super.value;
    const next = trace.assigned.get(this);
    if (next !== undefined) return realise(next);
    if (trace.deferred) {
      throw new TraceError(
        `The value of variable "${this.name}" was asked for inside compiled(): it would stay what it is now in every later run. ` +
          "Use the variable itself, or read it outside.",
      );
    }
    return super.value;
  }

  /** Replaces the value; shape and dtype stay. Throws TraceError for another shape or dtype. */
  assign(next: TensorLike): void {
    const t = asTensor(next, "assign", this.dtype);
    const trace = currentTrace();
    if (t.dtype !== this.dtype || t.shape.length !== this.rank || t.shape.some((d, i) => d !== this.shape[i])) {
      throw new TraceError(
        `[assign] variable "${this.name}" is ${this.dtype} [${this.shape.join(", ")}], got ${t.dtype} [${t.shape.join(", ")}]: ` +
          "a variable keeps its shape and dtype; reshape or cast the new value.",
      );
    }
    if (trace === null) this.value.write(t.dataSync());
    else if (trace.inBody) {
      throw new TraceError(
        `[assign] variable "${this.name}" cannot be assigned inside the body of scan(): carry the value and assign it after.`,
      );
    } else trace.assigned.set(this, t.node);
  }
}

/**
 * A variable with this initial value (copied).
 *
 * @example
 * const w = variable(zeros([3, 2]), { name: "w" });
 * w.assign(w.add(1));
 */
export const variable = (init: TensorLike, options: VariableOptions = {}): Variable =>
  new Variable(
    eagerly(() => asTensor(init, "variable")),
    options,
  );

/** Something with parameters: a layer or a model. */
export interface HasVariables {
  readonly variables: readonly Variable[];
  readonly trainableVariables: readonly Variable[];
}

import { type DType, ValueError } from "../../base/index.ts";
import { nextId } from "../../base/context.ts";
import type * as t from "../../tensor/index.ts";
import { type Tensor, tensor, type TensorLike } from "../../tensor/index.ts";

/** What a run knows: values of placeholders and variables, and of nodes so far. */
export interface Scope {
  readonly placeholder: (p: Placeholder) => Tensor;
  readonly variable: (v: Variable) => Tensor;
  readonly known: Map<GraphTensor, Tensor>;
}

/** Whatever an operation takes: a node of the graph, or a value that becomes a constant of it. */
export type Input = GraphTensor | TensorLike;

/** A tensor of the graph: it has no value, a session computes one. Operators are methods: x * w + b is x.mul(w).add(b). */
export class GraphTensor {
  readonly id: number = nextId();
  readonly name: string;
  readonly sources: readonly GraphTensor[];
  private readonly compute: (inputs: readonly Tensor[], scope: Scope) => Tensor;

  constructor(
    name: string,
    sources: readonly GraphTensor[],
    compute: (inputs: readonly Tensor[], scope: Scope) => Tensor,
  ) {
    this.name = name;
    this.sources = sources;
    this.compute = compute;
  }

  /** The value in a run, computed once. */
  evaluate(scope: Scope): Tensor {
    let value = scope.known.get(this);
    if (value === undefined) {
      value = this.compute(
        this.sources.map((s) => s.evaluate(scope)),
        scope,
      );
      scope.known.set(this, value);
    }
    return value;
  }

  /** x + y, broadcast. */
  add(y: Input): GraphTensor {
    return op("add", [this, y], ([a, b]) => a.add(b));
  }
  /** x − y, broadcast. */
  sub(y: Input): GraphTensor {
    return op("subtract", [this, y], ([a, b]) => a.sub(b));
  }
  /** x · y element by element (Hadamard product), broadcast. */
  mul(y: Input): GraphTensor {
    return op("multiply", [this, y], ([a, b]) => a.mul(b));
  }
  /** x / y, broadcast; whole numbers give float32. */
  div(y: Input): GraphTensor {
    return op("divide", [this, y], ([a, b]) => a.div(b));
  }
  /** x to the power y, broadcast. */
  pow(y: Input): GraphTensor {
    return op("pow", [this, y], ([a, b]) => a.pow(b));
  }
  /** −x. */
  neg(): GraphTensor {
    return op("negative", [this], ([a]) => a.neg());
  }
  /** x.at(0, 0) is x[0][0]. */
  at(...indices: readonly number[]): GraphTensor {
    return op("strided_slice", [this], ([a]) => a.at(...indices));
  }
  /** Ranges as in Tensor.slice: x.slice("1:3") is x[1:3]. */
  slice(...ranges: readonly t.Range[]): GraphTensor {
    return op("strided_slice", [this], ([a]) => a.slice(...ranges));
  }
  get T(): GraphTensor {
    return op("transpose", [this], ([a]) => a.T);
  }
}

/** A node that computes `f` of its inputs. Numbers take the dtype of what they meet. */
export function op(name: string, inputs: readonly Input[], f: (inputs: Tensor[]) => Tensor): GraphTensor {
  return new GraphTensor(
    name,
    inputs.map((x) => asNode(x)),
    (values) => f([...values]),
  );
}

const asNode = (x: Input): GraphTensor => (x instanceof GraphTensor ? x : constant(x));

/**
 * A value that never changes. dtype: float32 unless it is a tensor or typed array, or named.
 *
 * @example new tf.Session().run(tf.constant([1, 2]).mul(3)); // → [3, 6]
 */
export function constant(value: TensorLike, options: { readonly dtype?: DType } = {}): GraphTensor {
  const held = tensor(value, options);
  return new GraphTensor("constant", [], () => held);
}

/** A value that every run has to be given: `session.run(y, { feed_dict: [[x, value]] })`. null in a shape fits any size. */
export class Placeholder extends GraphTensor {
  readonly dtype: DType;
  readonly shape: readonly (number | null)[] | null;

  constructor(dtype: DType, shape: readonly (number | null)[] | null, name: string) {
    super(name, [], (_, scope) => scope.placeholder(this));
    this.dtype = dtype;
    this.shape = shape;
  }

  /** What stands in errors. */
  describe(): string {
    const sizes = this.shape === null ? "of any shape" : `[${this.shape.map((d) => d ?? "None").join(", ")}]`;
    return `placeholder "${this.name}" ${this.dtype} ${sizes}`;
  }

  /** The fed value in this dtype; throws where its shape does not fit. */
  accept(value: TensorLike): Tensor {
    const given = tensor(value).cast(this.dtype);
    const { shape } = this;
    if (shape !== null && (shape.length !== given.rank || shape.some((d, i) => d !== null && d !== given.shape[i]))) {
      throw new ValueError(`[Session.run] ${this.describe()} was fed a value of shape [${given.shape.join(", ")}].`);
    }
    return given;
  }
}

/** Options of `tf.Variable`. */
export interface VariableOptions {
  /** Default: that of the initial value (float32 for numbers). */
  readonly dtype?: DType;
  readonly name?: string;
  /** Whether optimizers change it. Default: true. */
  readonly trainable?: boolean;
}

/** A value that a session keeps from run to run, once `global_variables_initializer()` has run there. */
export class Variable extends GraphTensor {
  readonly trainable: boolean;
  private readonly initial: GraphTensor | Tensor;

  constructor(initial: Input, options: VariableOptions = {}) {
    super(options.name ?? "Variable", [], (_, scope) => scope.variable(this));
    this.trainable = options.trainable ?? true;
    this.initial =
      initial instanceof GraphTensor
        ? initial
        : tensor(initial, options.dtype === undefined ? {} : { dtype: options.dtype });
  }

  /** The value that it starts from in a session; random ones are drawn anew. */
  start(scope: Scope): Tensor {
    return this.initial instanceof GraphTensor ? this.initial.evaluate(scope) : this.initial;
  }
}

/** Something to do that has no value: what minimize, assign and the initializer make. */
export class Operation {
  readonly id: number = nextId();
  readonly name: string;
  /** Nodes that it reads. */
  readonly sources: readonly GraphTensor[];
  /** New values of variables. */
  readonly updates: (scope: () => Scope) => readonly (readonly [Variable, Tensor])[];

  constructor(name: string, sources: readonly GraphTensor[], updates: Operation["updates"]) {
    this.name = name;
    this.sources = sources;
    this.updates = updates;
  }
}

/** Initializes every variable that was made before this. */
export class Initializer extends Operation {
  constructor() {
    super("init", [], () => []);
  }
}

/** All nodes that `roots` stand on. */
export function reachable(roots: readonly GraphTensor[]): Set<GraphTensor> {
  const seen = new Set<GraphTensor>();
  const stack = [...roots];
  while (stack.length > 0) {
    const n = stack.pop() as GraphTensor;
    if (seen.has(n)) continue;
    seen.add(n);
    stack.push(...n.sources);
  }
  return seen;
}

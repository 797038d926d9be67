/// <reference lib="esnext.disposable" preserve="true" />
import { TraceError, ValueError } from "../../base/index.ts";
import { compiled, eagerly, type Tensor, type TensorLike, Variable as Stored } from "../../tensor/index.ts";
import { GraphTensor, Initializer, Operation, Placeholder, reachable, type Scope, Variable } from "./graph.ts";

type Fetch = GraphTensor | Operation;
type Fetched<F> = F extends GraphTensor ? Tensor : null;

/** Options of `session.run`. */
export interface RunOptions {
  /** Values of placeholders: pairs, or a Map. */
  readonly feed_dict?: Iterable<readonly [Placeholder, TensorLike]>;
}

/** What one set of fetches and feeds needs, as one program. */
interface Plan {
  readonly variables: readonly Variable[];
  readonly program: (...feeds: Tensor[]) => Tensor[];
}

/**
 * Runs parts of the graph, and keeps the values of variables. Sessions know nothing of each other.
 *
 * @example
 * const x = tf.placeholder(tf.float32, [2]);
 * const w = new tf.Variable([3], { dtype: tf.float32 });
 * const session = new tf.Session();
 * session.run(tf.global_variables_initializer());
 * session.run(x.mul(w), { feed_dict: [[x, [1, 2]]] });
 */
export class Session {
  private readonly values: Map<Variable, Stored> = new Map();
  private readonly plans: Map<string, Plan> = new Map();
  /** Variables older than this have values. */
  private since = 0;
  private closed = false;

  /** The values of the fetches (null for operations): a tensor for one, a list for a list. What they share is computed once;
   * operations change variables after all values are taken. */
  run<F extends Fetch>(fetch: F, options?: RunOptions): Fetched<F>;
  run<const F extends readonly Fetch[]>(fetches: F, options?: RunOptions): { -readonly [K in keyof F]: Fetched<F[K]> };
  run(fetches: Fetch | readonly Fetch[], options: RunOptions = {}): unknown {
    if (this.closed) throw new ValueError("[Session.run] the session is closed: make a new one.");
    const list = Array.isArray(fetches) ? (fetches as readonly Fetch[]) : [fetches as Fetch];
    for (const f of list) {
      if (!(f instanceof GraphTensor || f instanceof Operation))
        throw new ValueError("[Session.run] fetches tensors and operations of the graph, or a list of them.");
      if (f instanceof Initializer) this.initialize(f);
    }
    const feeds = new Map([...(options.feed_dict ?? [])].map(([p, value]) => [p, p.accept(value)]));
    const plan = this.planFor(list, [...feeds.keys()]);
    for (const v of plan.variables) this.valueOf(v);
    const values = plan.program(...feeds.values());
    let at = 0;
    const out = list.map((f) => (f instanceof GraphTensor ? values[at++] : null));
    return Array.isArray(fetches) ? out : out[0];
  }

  /** Forgets the variables; runs no more. */
  close(): void {
    this.closed = true;
    this.values.clear();
    this.plans.clear();
  }
  /** `using session = …` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  private initialize(init: Initializer): void {
    this.since = init.id;
    this.values.clear();
    this.plans.clear();
  }

  private valueOf(v: Variable): Stored {
    let stored = this.values.get(v);
    if (stored === undefined) {
      if (v.id >= this.since) {
        throw new ValueError(
          `[Session.run] variable "${v.name}" has no value in this session: run global_variables_initializer() here first, made after the variable.`,
        );
      }
      const start = eagerly(() => v.start(this.scope(new Map())));
      stored = new Stored(start, { name: v.name, trainable: v.trainable });
      this.values.set(v, stored);
    }
    return stored;
  }

  private scope(feeds: ReadonlyMap<Placeholder, Tensor>): Scope {
    return {
      placeholder: (p) => {
        const value = feeds.get(p);
        if (value === undefined)
          throw new TraceError(`[Session.run] ${p.describe()} was not fed: name it in feed_dict, as in [[x, value]].`);
        return value;
      },
      variable: (v) => this.valueOf(v),
      known: new Map(),
    };
  }

  private planFor(fetches: readonly Fetch[], fed: readonly Placeholder[]): Plan {
    const key = `${fetches.map((f) => f.id).join()}|${fed.map((p) => p.id).join()}`;
    let plan = this.plans.get(key);
    if (plan === undefined) {
      const nodes = reachable(fetches.flatMap((f) => (f instanceof GraphTensor ? [f] : f.sources)));
      const variables = [...nodes].filter((n) => n instanceof Variable);
      const missing = [...nodes].find((n) => n instanceof Placeholder && !fed.includes(n));
      // Named before anything runs.
      if (missing !== undefined) this.scope(new Map()).placeholder(missing as Placeholder);
      const program = compiled((...values: Tensor[]) => {
        const feeds = new Map(fed.map((p, i) => [p, values[i]]));
        const scope = this.scope(feeds);
        const out = fetches.flatMap((f) => (f instanceof GraphTensor ? [f.evaluate(scope)] : []));
        const updates = fetches.flatMap((f) => (f instanceof Operation ? f.updates(() => this.scope(feeds)) : []));
        for (const [v, next] of updates) this.valueOf(v).assign(next);
        return out;
      });
      plan = { variables, program };
      this.plans.set(key, plan);
    }
    return plan;
  }
}

/**
 * Runs `body` with a session that is closed after it: Python's with-statement, as `using` does where the compiler knows it.
 *
 * @example tf.withSession((session) => session.run(tf.constant(2).mul(3))); // → 6
 */
export function withSession<R>(body: (session: Session) => R): R {
  const session = new Session();
  try {
    return body(session);
  } finally {
    session.close();
  }
}

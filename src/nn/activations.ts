import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import { Tensor, type TensorLike } from "../tensor/index.ts";
import { type Config, type Layer, makeLayer } from "./layer.ts";
import { didYouMean } from "./names.ts";
import { Symbolic } from "./symbolic.ts";

/** A function of one tensor with a name that configurations know. It can stand where a layer is expected. */
export interface Activation {
  (x: Tensor): Tensor;
  (x: Symbolic): Symbolic;
  /** "leakyRelu". */
  readonly activation: string;
  /** Options that differ from the defaults, for the JSON form. */
  readonly options: Config;
}

/** Activations that options know by name. */
export type ActivationName =
  | "linear"
  | "relu"
  | "relu6"
  | "leakyRelu"
  | "elu"
  | "selu"
  | "gelu"
  | "sigmoid"
  | "hardSigmoid"
  | "tanh"
  | "softplus"
  | "softsign"
  | "silu"
  | "mish"
  | "exponential"
  | "softmax"
  | "logSoftmax";

/** What layer options take: `relu`, `"relu"`, a function such as `leakyRelu({ slope: 0.1 })`, its JSON form, or any function. */
export type ActivationLike =
  | Activation
  | ActivationName
  | "swish"
  | ({ readonly name: ActivationName } & Config)
  | ((x: Tensor) => Tensor);

export const isActivation = (x: unknown): x is Activation =>
  typeof x === "function" && typeof (x as Partial<Activation>).activation === "string";

/** A layer that applies an activation (Keras: Activation); in models the bare function does the same. */
export function activationLayer(like: ActivationLike, options: { readonly name?: string } = {}): Layer {
  const f = activationOf(like);
  return makeLayer({
    class: f.activation,
    options,
    config: f.options,
    call: ([x]) => f(x),
  });
}

/** A named activation; also for activations-more.ts. */
export function define(activation: string, f: (x: Tensor) => Tensor, options: Config = {}): Activation {
  const call = (x: Tensor | Symbolic): Tensor | Symbolic =>
    x instanceof Symbolic ? activationLayer(call as Activation)(x) : f(x);
  return Object.assign(call, { activation, options }) as Activation;
}

// What an output was before its last activation: losses named by a string compute from it, which is exact where the
// probabilities have rounded to 0 or 1.
const BEFORE: unique symbol = Symbol("before activation");

interface Remembered {
  [BEFORE]?: { readonly activation: "softmax" | "sigmoid"; readonly logits: Tensor };
}

function remember(activation: "softmax" | "sigmoid", logits: Tensor, out: Tensor): Tensor {
  (out as Tensor & Remembered)[BEFORE] = { activation, logits };
  return out;
}

/** The logits behind the result of `softmax` or `sigmoid` (last axis), null for any other tensor. */
export const logitsBehind = (
  x: Tensor,
): { readonly activation: "softmax" | "sigmoid"; readonly logits: Tensor } | null =>
  (x as Tensor & Remembered)[BEFORE] ?? null;

/** x itself (Keras: linear; S-060). */
export const linear: Activation = define("linear", (x) => x);
/** max(0, x); slope 0 at 0 (Keras: relu; S-066, S-067). */
export const relu: Activation = define("relu", (x) => t.relu(x));
/** min(max(0, x), 6) (Keras: relu6). */
export const relu6: Activation = define("relu6", (x) => t.clip(x, 0, 6));
/** 1/(1+e^(-x)), without overflow (Keras: sigmoid; S-061, S-062). */
export const sigmoid: Activation = define("sigmoid", (x) => remember("sigmoid", x, t.sigmoid(x)));
/** clip(x/6 + 1/2, 0, 1) (Keras 3: hard_sigmoid). */
export const hardSigmoid: Activation = define("hardSigmoid", (x) => t.clip(t.add(t.div(x, 6), 0.5), 0, 1));
/** Hyperbolic tangent (Keras: tanh; S-063, S-064). */
export const tanh: Activation = define("tanh", (x) => t.tanh(x));
/** ln(1+e^x), without overflow (Keras: softplus; S-072). */
export const softplus: Activation = define("softplus", (x) => t.softplus(x));
/** x/(1+|x|) (Keras: softsign). */
export const softsign: Activation = define("softsign", (x) => t.div(x, t.add(t.abs(x), 1)));
/** x·sigmoid(x) (Keras: silu, swish). */
export const silu: Activation = define("silu", (x) => t.mul(x, t.sigmoid(x)));
/** x·tanh(softplus(x)) (Keras: mish). */
export const mish: Activation = define("mish", (x) => t.mul(x, t.tanh(t.softplus(x))));
/** e^x (Keras: exponential). */
export const exponential: Activation = define("exponential", (x) => t.exp(x));

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** x for x > 0, else alpha·(e^x − 1), slope alpha at 0; `expm1` sees no x > 0, so that no branch overflows. */
const eluOf = (x: Tensor, alpha: number): Tensor => {
  const on = t.greater(x, 0);
  return t.where(on, x, t.mul(t.expm1(t.where(on, 0, x)), alpha));
};

/** scale·elu(x, alpha), with the constants of self-normalising networks (Keras: selu). */
export const selu: Activation = define("selu", (x) => t.mul(eluOf(x, SELU_ALPHA), SELU_SCALE));

/** An activation that is also a maker of itself with options: `elu` and `elu({ alpha: 0.5 })`. */
export interface Adjustable<Options> extends Activation {
  (options?: Options): Activation;
}

export function adjustable<Options extends object>(
  name: string,
  make: (options: Options) => (x: Tensor) => Tensor,
): Adjustable<Options> {
  const plain = define(name, make({} as Options));
  const call = (x?: Tensor | Symbolic | Options): unknown => {
    if (x instanceof Tensor) return plain(x);
    if (x instanceof Symbolic) return plain(x);
    const options = x ?? ({} as Options);
    return define(name, make(options), options as Config);
  };
  return Object.assign(call, { activation: name, options: {} }) as Adjustable<Options>;
}

/**
 * x for x > 0, else slope·x; slope 0.2 by default, as Keras 3 (the notes use 0.1 and 0.01; Keras: leaky_relu with
 * negative_slope; S-068, S-069, A-08).
 *
 * @example
 * sequential([dense(8), leakyRelu({ slope: 0.01 }), dense(1)]);
 */
export const leakyRelu: Adjustable<{ slope?: number }> = adjustable("leakyRelu", ({ slope = 0.2 }) => {
  return (x) => t.where(t.greater(x, 0), x, t.mul(x, slope));
});
/** x for x > 0, else alpha·(e^x − 1); alpha 1 (Keras: elu; S-071). */
export const elu: Adjustable<{ alpha?: number }> = adjustable(
  "elu",
  ({ alpha = 1 }) =>
    (x) =>
      eluOf(x, alpha),
);
/** x·Φ(x), or its tanh form with `approximate: true` (Keras: gelu). */
export const gelu: Adjustable<{ approximate?: boolean }> = adjustable("gelu", (options) => (x) => t.gelu(x, options));
/** e^x_i / Σ e^x_j along `axis` (default the last), shifted by the largest (Keras: softmax; S-074). */
export const softmax: Adjustable<{ axis?: number }> = adjustable("softmax", ({ axis = -1 }) => (x) => {
  const out = t.softmax(x, axis);
  return axis === -1 || axis === x.rank - 1 ? remember("softmax", x, out) : out;
});
/** x_i − ln Σ e^x_j along `axis`, the last by default (Keras: log_softmax). */
export const logSoftmax: Adjustable<{ axis?: number }> = adjustable(
  "logSoftmax",
  ({ axis = -1 }) =>
    (x) =>
      t.logSoftmax(x, axis),
);

export const ACTIVATIONS: Readonly<Record<ActivationName, Activation>> = {
  linear,
  relu,
  relu6,
  leakyRelu,
  elu,
  selu,
  gelu,
  sigmoid,
  hardSigmoid,
  tanh,
  softplus,
  softsign,
  silu,
  mish,
  exponential,
  softmax,
  logSoftmax,
};

/** The activation that a function is: one of this file, or the bare operation of the tensor room of that name; else null. */
export function namedActivation(f: unknown): Activation | null {
  if (isActivation(f)) return f;
  const bare = [t.relu, t.sigmoid, t.tanh, t.softplus, t.exp, t.gelu, t.softmax, t.logSoftmax];
  const named = [relu, sigmoid, tanh, softplus, exponential, gelu, softmax, logSoftmax];
  return named[bare.indexOf(f as (x: TensorLike) => Tensor)] ?? null;
}

/**
 * The activation of an option. Plain functions pass as they are; they have no JSON form.
 *
 * @example activationOf("relu")(tensor([-1, 2])).array(); // → [0, 2]
 */
export function activationOf(like: ActivationLike): Activation {
  if (isActivation(like)) return like;
  if (typeof like === "function") return namedActivation(like) ?? custom(like);
  const { name, ...options } = typeof like === "string" ? { name: like } : like;
  const found = ACTIVATIONS[name === "swish" ? "silu" : name] as Activation | undefined;
  if (found === undefined) {
    throw new ValueError(
      `unknown activation "${name}": ${didYouMean(name, Object.keys(ACTIVATIONS))} A function of a tensor is one too.`,
    );
  }
  return Object.keys(options).length === 0 ? found : (found as Adjustable<Config>)(options);
}

/** A user's own function: no name to find it by again. */
function custom(f: (x: Tensor) => Tensor): Activation {
  const out = define("linear", f);
  return Object.defineProperty(out, "options", {
    get(): never {
      throw new ValueError(
        `the function ${f.name === "" ? "(unnamed)" : `"${f.name}"`} has no JSON form: use an activation's name, or write a layer and pass its constructor to modelFromConfig.`,
      );
    },
  });
}

/** The JSON form: a name, or a name with options. Throws for functions of the user's own. */
export const activationJson = (a: Activation): Config[string] =>
  Object.keys(a.options).length === 0 ? a.activation : { name: a.activation, ...a.options };

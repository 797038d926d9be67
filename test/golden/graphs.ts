/** Well-known graphs as the engine plans them: the text that `explain` prints, and the kernels in it. */
import {
  conv,
  explain,
  matmul,
  relu,
  scan,
  softmax,
  split,
  take,
  type Tensor,
  valueAndGrad,
  variable,
  type Variable,
  zeros,
} from "../../src/index.ts";
import {
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  layerNorm,
  type LayerLike,
  maxPool2d,
  type Model,
  relu as rectify,
  sequential,
} from "../../src/nn/index.ts";
import { adam, type Optimizer, sgd } from "../../src/optim/index.ts";

const x = (...shape: number[]): Tensor => zeros(shape);
const labels = (n: number): Tensor => zeros([n], { dtype: "int32" });
const weights = (name: string, ...shape: number[]): Variable => variable(zeros(shape), { name });

/** A kernel of a plan: `contract` `dot+add`, its loops, its stores. */
export interface PlannedKernel {
  readonly kind: string;
  readonly name: string;
  readonly text: string;
}

/** The kernels that a plan's text lists (those of a scan's body too), in order. */
export const kernelsOf = (plan: string): PlannedKernel[] =>
  plan.split("\n").flatMap((line) => {
    const found = /^\s*\d+\s+(loop|contract|scan)\s+(\S+)/.exec(line);
    return found === null ? [] : [{ kind: found[1], name: found[2], text: line.trim() }];
  });

/** A forward pass in training mode or not. */
const forwardOf = (layer: LayerLike, training: boolean, ...shape: number[]): string => {
  const call = layer as (x: Tensor, options: { training: boolean }) => Tensor;
  call(x(...shape), { training: false });
  return explain((input: Tensor) => call(input, { training }))(x(...shape));
};

/** A whole training step: loss, gradients and update. */
function stepOf(model: Model, optimizer: Optimizer, batch: number, ...shape: number[]): string {
  model.build([null, ...shape]);
  const step = (input: Tensor, y: Tensor): Tensor => {
    const [loss, grads] = valueAndGrad(model, () => crossEntropy(model(input, { training: true }), y));
    optimizer.update(model, grads);
    return loss;
  };
  return explain(step)(x(batch, ...shape), labels(batch));
}

export const softmaxRow = (): string => explain((a: Tensor) => softmax(a))(x(64, 1000));

export const softmaxGradient = (): string =>
  explain((a: Tensor, b: Tensor) => valueAndGrad((t: Tensor) => softmax(t).mul(b).sum())(a)[1])(
    x(64, 1000),
    x(64, 1000),
  );

export const layerNormRow = (): string => forwardOf(layerNorm(), false, 64, 256);

export const batchNormTraining = (): string => forwardOf(batchNorm(), true, 32, 16, 16, 8);

export const batchNormTrained = (): string => forwardOf(batchNorm(), false, 32, 16, 16, 8);

/** Adam on one parameter whose gradient is at hand. */
export function adamAlone(): string {
  const w = weights("w", 300, 200);
  const optimizer = adam(1e-3);
  return explain((g: Tensor) => {
    optimizer.update([w], [g]);
  })(x(300, 200));
}

/** Adam on a weight matrix whose gradient is a product. */
export function adamOnProduct(): string {
  const w = weights("w", 300, 200);
  const optimizer = adam(1e-3);
  return explain((a: Tensor, dy: Tensor) => {
    optimizer.update([w], [matmul(a.transpose(), dy)]);
  })(x(64, 300), x(64, 200));
}

export const denseRelu = (): string =>
  explain((a: Tensor, w: Tensor, b: Tensor) => relu(matmul(a, w).add(b)))(x(64, 300), x(300, 200), x(200));

/** SGD on a table of which a batch reads some rows, and on another by the vectors that each row is compared with. */
export function sgdOnRows(): string {
  const [inner, outer] = [weights("inner", 5000, 32), weights("outer", 5000, 32)];
  const optimizer = sgd(0.1);
  return explain((i: Tensor, j: Tensor) => {
    const [loss, grads] = valueAndGrad([inner, outer], () => {
      const scores = matmul(take(outer, j).reshape([64, 6, 32]), take(inner, i).reshape([64, 32, 1]));
      return scores.square().sum();
    });
    optimizer.update([inner, outer], grads);
    return loss;
  })(labels(64), labels(384));
}

/** 3×3 convolution, bias and ReLU, without and with padding. */
export const convRelu = (padding: "valid" | "same"): string =>
  explain((a: Tensor, w: Tensor, b: Tensor) => relu(conv(a, w, { padding }).add(b)))(
    x(8, 16, 16, 8),
    x(3, 3, 8, 16),
    x(16),
  );

/** Scaled dot-product attention: softmax(q·kᵀ/√d + mask)·v. */
export const attention = (): string =>
  explain((q: Tensor, k: Tensor, v: Tensor, mask: Tensor) =>
    matmul(
      softmax(
        matmul(q, k.transpose([0, 1, 3, 2]))
          .mul(32 ** -0.5)
          .add(mask),
      ),
      v,
    ),
  )(x(2, 4, 64, 32), x(2, 4, 64, 32), x(2, 4, 64, 32), x(64, 64));

/** Adam on an LSTM over 16 steps of 32 rows, its weights 96 → 4 · 96, and the mean square of its last state. */
export function lstmStep(): string {
  const w = [weights("wx", 96, 384), weights("wh", 96, 384), weights("b", 384)];
  const optimizer = adam(1e-3);
  return explain((xs: Tensor) => {
    const cell = ([h, c]: [Tensor, Tensor], xt: Tensor): [[Tensor, Tensor], Tensor] => {
      const [i, f, g, o] = split(xt.add(matmul(h, w[1])), 4, -1);
      const next = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      const out = o.sigmoid().mul(next.tanh());
      return [[out, next], out];
    };
    const [loss, grads] = valueAndGrad({ variables: w, trainableVariables: w }, () => {
      const inputs = matmul(xs, w[0]).add(w[2]);
      return scan(cell, [x(32, 96), x(32, 96)], inputs)[0][0]
        .square()
        .mean();
    });
    optimizer.update(w, grads);
    return loss;
  })(x(16, 32, 96));
}

export const mlpStep = (): string =>
  stepOf(sequential([dense(256), rectify, dense(128), rectify, dense(10)]), adam(1e-3), 128, 784);

export const lenetStep = (): string =>
  stepOf(
    sequential([
      conv2d(6, 5, { padding: "same" }),
      rectify,
      maxPool2d(2),
      conv2d(16, 5),
      rectify,
      maxPool2d(2),
      flatten(),
      dense(120),
      rectify,
      dense(84),
      rectify,
      dense(10),
    ]),
    adam(1e-3),
    64,
    28,
    28,
    1,
  );

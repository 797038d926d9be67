// The 3×3 convolutions of ResNet-20, batch 32, and of VGG-16, batch 1: forward, gradient by the image (dX) and by the kernel (dW), each alone.
// The gradients are those of sum(conv(x, w) · g), so that no forward convolution is needed for them.
import { meanAbs } from "../lib/measure.mjs";
import { images, kernel } from "../lib/random.mjs";

/** Image size, channels in and out, stride, batch. */
const residual = [
  [32, 16, 16, 1, 32],
  [16, 32, 32, 1, 32],
  [8, 64, 64, 1, 32],
  [32, 16, 32, 2, 32],
  [16, 32, 64, 2, 32],
];
const vgg = [
  [224, 64, 64, 1, 1],
  [112, 128, 128, 1, 1],
  [56, 256, 256, 1, 1],
  [28, 512, 512, 1, 1],
  [14, 512, 512, 1, 1],
];

const describe = ([size, inputs, outputs, stride, batch], pass, rest) => ({
  metric: `${size}² ${inputs}→${outputs}${stride > 1 ? ` /${stride}` : ""} ${pass}`,
  work: (2 * 9 * inputs * outputs * batch * (size / stride) ** 2) / 1e9,
  unit: "GFLOP/s",
  ...rest,
});
const operands = ([size, inputs, outputs, stride, batch], nchw) => [
  images("conv x", [batch, size, size, inputs], nchw),
  kernel("conv w", inputs, outputs, 3, nchw),
  images("conv g", [batch, size / stride, size / stride, outputs], nchw),
];

export async function* chainrule({ array }) {
  const { compiled, conv, grad, mul, sum } = await import("chainrule");
  for (const shape of [...residual, ...vgg]) {
    const [x, w, g] = operands(shape).map(array);
    const convolve = (x, w) => conv(x, w, { strides: shape[3], padding: 1 });
    const passes = {
      forward: [compiled(convolve), x, w],
      dX: [compiled((x, w, g) => grad((x) => sum(mul(convolve(x, w), g)))(x)), x, w, g],
      dW: [compiled((w, x, g) => grad((w) => sum(mul(convolve(x, w), g)))(w)), w, x, g],
    };
    for (const [pass, [run, ...args]] of Object.entries(passes)) {
      yield describe(shape, pass, {
        step: () => run(...args).dispose(),
        check: () => meanAbs(run(...args).dataSync()),
      });
    }
  }
}

// The larger ones take this peer, and tfjs's plain JavaScript, minutes.
export function* jax({ array, conv2d, jit, np, valueAndGrad, tree }) {
  for (const shape of residual) {
    const [x, w, g] = operands(shape, true).map(array);
    const conv = (x, w) => conv2d(x, w, shape[3], 1);
    const gradient = (f) =>
      jit((...args) => {
        const [value, out] = valueAndGrad(f)(...args);
        value.dispose();
        return out;
      });
    const passes = {
      forward: [jit(conv), [x, w]],
      dX: [gradient((x, w, g) => np.sum(conv(x, w).mul(g))), [x, w, g]],
      dW: [gradient((w, x, g) => np.sum(conv(x, w).mul(g))), [w, x, g]],
    };
    for (const [pass, [run, args]] of Object.entries(passes)) {
      yield describe(shape, pass, {
        warm: 1,
        async step() {
          const out = run(...tree.ref(args));
          await out.blockUntilReady();
          out.dispose();
        },
        check: async () => meanAbs(await run(...tree.ref(args)).data()),
      });
    }
  }
}

// The wasm backend has no kernel gradient; the image gradient is the transposed convolution.
export function* tfjs({ array, backend, tf }) {
  for (const shape of backend === "cpu" ? residual : [...residual, ...vgg]) {
    const [x, w, g] = operands(shape).map(array);
    const stride = shape[3];
    const passes = {
      forward: () => tf.conv2d(x, w, stride, 1),
      dX: () => tf.conv2dTranspose(g, w, x.shape, stride, 1),
      ...(backend === "cpu" ? { dW: () => tf.grad((w) => tf.sum(tf.mul(tf.conv2d(x, w, stride, 1), g)))(w) } : {}),
    };
    for (const [pass, run] of Object.entries(passes)) {
      yield describe(shape, pass, {
        warm: backend === "cpu" ? 1 : 3,
        step: () => run().dispose(),
        check: async () => meanAbs(await run().data()),
      });
    }
  }
}

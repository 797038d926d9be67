// Chainrule through its public interface, as anybody imports it.
import { compiled, device, tensor, valueAndGrad, variable } from "chainrule";

/** A figure may not be taken for one of a device that this machine does not have. */
export function start() {
  const wanted = process.env.CHAINRULE_DEVICE;
  const { name, why } = device();
  if (wanted !== undefined && wanted !== name.split(" ")[0])
    throw new Error(`the device is ${name}, not ${wanted}: ${why}`);
}

/** BENCH_NUDGE=1 changes the last bit of every other initial weight: how far does rounding alone carry? */
const nudged = process.env.BENCH_NUDGE === "1";
function nudge({ data, shape }) {
  if (!nudged) return { data, shape };
  const bits = new Int32Array(Float32Array.from(data).buffer).map((word, i) => (word === 0 ? 0 : word ^ (i % 2)));
  return { data: new Float32Array(bits.buffer), shape };
}

export const array = ({ data, shape }) => tensor(data, { shape });
export const parameter = (init) => variable(array(nudge(init)));

/** Something with variables, for gradients and optimizers. */
export const netOf = (variables) => ({ variables, trainableVariables: variables.filter((v) => v.trainable) });

/** Puts initial weights into a built model, in the order of its variables. */
export const fill = (model, weights) => model.trainableVariables.forEach((v, i) => v.assign(array(nudge(weights[i]))));

/** A training step, gradient and update as one program. */
export function trainer({ model, optimizer, data, loss }) {
  const step = compiled((...batch) => {
    const [value, grads] = valueAndGrad(model, () => loss(...batch));
    optimizer.update(model, grads);
    return value;
  });
  return () => step(...data).item();
}

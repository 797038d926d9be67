// Chainrule through its public interface, as anybody imports it.
import { compiled, device, tensor, valueAndGrad, variable } from "chainrule";

/** A figure may not be taken for one of a device that this machine does not have. */
export function start() {
  const wanted = process.env.CHAINRULE_DEVICE;
  const { name, why } = device();
  if (wanted !== undefined && wanted !== name.split(" ")[0])
    throw new Error(`the device is ${name}, not ${wanted}: ${why}`);
}

export const array = ({ data, shape }) => tensor(data, { shape });
export const parameter = (init) => variable(array(init));

/** Something with variables, for gradients and optimizers. */
export const netOf = (variables) => ({ variables, trainableVariables: variables.filter((v) => v.trainable) });

/** Puts initial weights into a built model, in the order of its variables. */
export const fill = (model, weights) => model.trainableVariables.forEach((v, i) => v.assign(array(weights[i])));

/** A training step, gradient and update as one program. */
export function trainer({ model, optimizer, data, loss }) {
  const step = compiled((...batch) => {
    const [value, grads] = valueAndGrad(model, () => loss(...batch));
    optimizer.update(model, grads);
    return value;
  });
  return () => step(...data).item();
}

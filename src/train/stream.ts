import type { Callback } from "./callbacks.ts";
import type { History, TrainEvent } from "./events.ts";
import type { FitOptions } from "./fit.ts";
import type { TrainingData } from "./inputs.ts";
import type { Model } from "./model.ts";

/**
 * `fit` as a stream of its events: the run waits until the loop asks for the next one, and ends when the loop is left. The value of the
 * generator at its end is the history.
 *
 * @example
 * for await (const event of trainEvents(model, train, { epochs: 10 })) {
 *   if (event.type === "epochEnd" && event.logs.loss < 0.1) break;
 * }
 */
export async function* trainEvents(
  model: Model,
  data: TrainingData,
  options: FitOptions = {},
): AsyncGenerator<TrainEvent, History, undefined> {
  let deliver: (event: TrainEvent | null) => void = () => undefined;
  let goOn: () => void = () => undefined;
  let left = false;
  const next = (): Promise<TrainEvent | null> => new Promise((resolve) => (deliver = resolve));
  const hand = (event: TrainEvent): void | Promise<void> => {
    if (left) {
      model.stopTraining = true;
      return undefined;
    }
    const taken = new Promise<void>((resolve) => (goOn = resolve));
    deliver(event);
    return taken;
  };
  const teller: Callback = {
    onTrainBegin: hand,
    onEpochBegin: hand,
    onBatchEnd: hand,
    onEpochEnd: hand,
    onTrainEnd: hand,
  };
  let coming = next();
  const run = model.fit(data, { verbose: 0, ...options, callbacks: [...(options.callbacks ?? []), teller] });
  const ended = run.then(
    () => null,
    () => null,
  );
  try {
    for (;;) {
      const event = await Promise.race([coming, ended]);
      if (event === null) break;
      yield event;
      coming = next();
      goOn();
    }
  } finally {
    left = true;
    model.stopTraining = true;
    goOn();
    await ended;
  }
  return run;
}

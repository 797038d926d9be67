import path from "node:path";
import { rm, stat } from "node:fs/promises";
import { setSeed } from "../base/context.ts";
import { type Dataset, mnist } from "../data/index.ts";
import { conv2d, countParameters, dense, flatten, maxPool2d, relu, sequential } from "../nn/index.ts";
import { adam, cosineDecay } from "../optim/index.ts";
import type { BatchEnd, Model, TrainEvent, TrainingState } from "../train/index.ts";
import { loadCheckpoint, progress, saveCheckpoint, saveModel } from "../train/index.ts";
import { formatCount, formatDuration, formatProgress } from "../viz/index.ts";
import { describeOptions, readArgs, UsageError, type Values } from "./args.ts";
import { formatReport, testModel } from "./report.ts";
import { StatusLine, type Terminal } from "./terminal.ts";

const OPTIONS = {
  epochs: { default: 8, value: "n", help: "passes over the training images", min: 1, whole: true },
  "batch-size": { default: 64, value: "n", help: "images a step", min: 1, whole: true },
  lr: { default: 2e-3, value: "rate", help: "learning rate at the start; it falls to 0 along a cosine", min: 0 },
  seed: { default: 1, value: "n", help: "of the weights and of the order of images", min: 0, whole: true },
  limit: {
    default: null,
    value: "n",
    help: "use only the first n training images, and as many test images",
    min: 1,
    whole: true,
  },
  out: { default: path.join("runs", "mnist"), value: "folder", help: "where checkpoint and model are kept" },
  fresh: { default: false, help: "start anew although a checkpoint is there" },
  "save-every": { default: 200, value: "n", help: "steps between two checkpoints", min: 1, whole: true },
  "stop-after": {
    default: null,
    value: "n",
    help: "stop after n steps of this call, as Ctrl-C does",
    min: 1,
    whole: true,
  },
} as const;

type StartOptions = Values<typeof OPTIONS>;

export const startHelp = (): string => `Usage: chainrule start [options]

Trains LeNet-5 on the 60,000 MNIST digits, tests it on 10,000 others, draws a dozen of them and saves the model. Ctrl-C stops
after the current step and keeps a checkpoint; the same command then continues, bit for bit as if it had not stopped.

${describeOptions(OPTIONS)}
`;

/** LeNet-5 with today's parts: ReLU and maximum pooling instead of tanh and trainable averages. */
function lenet5(): Model {
  return sequential(
    [
      conv2d(6, 5, { padding: "same" }),
      relu,
      maxPool2d(2),
      conv2d(16, 5),
      relu,
      maxPool2d(2),
      flatten(),
      dense(120),
      relu,
      dense(84),
      relu,
      dense(10),
    ],
    { name: "lenet5" },
  );
}

/** `chainrule start`: the main job. */
export async function start(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readArgs("start", argv, OPTIONS);
  if (words.length > 0) throw new UsageError(`start: takes no argument, got "${words[0]}"`);
  const [train, test] = await readData(values, terminal);
  const checkpoint = path.join(values.out, "checkpoint.safetensors");
  const resume = await readCheckpoint(checkpoint, values, terminal);

  setSeed(values.seed);
  const model = lenet5();
  const steps = train.steps(values["batch-size"]) * values.epochs;
  model.compile({
    optimizer: adam(cosineDecay(values.lr, steps)),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  model.build([null, 28, 28, 1]);
  terminal.write(
    `LeNet-5, ${formatCount(countParameters(model.trainableVariables))} weights; ${formatCount(train.length)} images to learn from, ` +
      `${formatCount(test.length)} to test on\n`,
  );
  const seconds = await trainModel(model, train, { values, checkpoint, resume, terminal });
  if (seconds === null) return 130;

  const result = await testModel(model, test);
  const file = path.join(values.out, "lenet5.safetensors");
  const notes = {
    data: "MNIST",
    images: train.length,
    epochs: values.epochs,
    seed: values.seed,
    testAccuracy: result.accuracy,
  };
  await saveModel(model, file, { notes });
  await rm(checkpoint, { force: true });
  terminal.write(`\n${formatReport(test, result, terminal)}\n`);
  terminal.write(`trained in ${formatDuration(seconds)}; test accuracy ${(100 * result.accuracy).toFixed(2)}%\n`);
  terminal.write(`saved ${file}; try it on an image: npx chainrule predict ${file} <image.png>\n`);
  return 0;
}

/** Training and test images, with a progress line if they must be downloaded. */
async function readData(values: StartOptions, terminal: Terminal): Promise<[Dataset, Dataset]> {
  const line = new StatusLine(terminal);
  const { train, test } = await mnist({
    onProgress: ({ file, loaded, total }) =>
      line.update(() =>
        formatProgress({ label: `downloading ${file}`, done: loaded, total: total || loaded }, terminal.columns - 1),
      ),
  });
  line.clear();
  return values.limit === null ? [train, test] : [train.take(values.limit), test.take(values.limit)];
}

/** What the weights of a run depend on: a checkpoint made with other values cannot be continued. */
function identity(values: StartOptions): Record<string, number | null> {
  const { epochs, lr, seed, limit } = values;
  return { epochs, "batch-size": values["batch-size"], lr, seed, limit };
}

/** The state to continue from, or null. */
async function readCheckpoint(file: string, values: StartOptions, terminal: Terminal): Promise<TrainingState | null> {
  const there = await stat(file).catch(() => null);
  if (there === null || values.fresh) return null;
  const { state, extra } = await loadCheckpoint(file).catch((error: unknown) => {
    throw new UsageError(`start: ${error instanceof Error ? error.message : String(error)}\nStart anew with --fresh.`);
  });
  const made = (extra ?? {}) as Record<string, number | null>;
  for (const [name, value] of Object.entries(identity(values))) {
    if (made[name] === value) continue;
    throw new UsageError(
      `start: the checkpoint ${file} was made with --${name} ${String(made[name])}, now it is ${String(value)}. ` +
        `Use the same options to continue, or start anew with --fresh.`,
    );
  }
  const { epoch, batch, step } = state.position;
  terminal.write(
    `continuing bit for bit from ${file}: epoch ${epoch + 1}, batch ${batch}, ${formatCount(step)} steps done (--fresh starts anew)\n`,
  );
  return state;
}

interface Run {
  readonly values: StartOptions;
  readonly checkpoint: string;
  readonly resume: TrainingState | null;
  readonly terminal: Terminal;
}

/** Trains to the end; resolves to the seconds it took, or null when it was interrupted (a checkpoint is then there). */
async function trainModel(model: Model, train: Dataset, run: Run): Promise<number | null> {
  const { values, checkpoint, resume, terminal } = run;
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  terminal.interrupted.addEventListener("abort", abort, { once: true });
  if (terminal.interrupted.aborted) abort();
  const { write, live, columns } = terminal;
  const show = progress({ target: { write, isTTY: live, columns }, unit: "images/s" });
  const keep = new Keeper(model, checkpoint, identity(values), (message) =>
    terminal.error(`\n${message} Training goes on.\n`),
  );
  let stepsHere = 0;
  const onEvent = (event: TrainEvent): void => {
    show(event.type === "batchEnd" ? { ...event, eta: secondsLeft(event) } : event);
    if (event.type !== "batchEnd") return;
    stepsHere++;
    if (stepsHere === values["stop-after"]) abort();
    else if (event.step % values["save-every"] === 0) keep.later();
  };
  const started = performance.now();
  try {
    await model.fit(train, {
      epochs: values.epochs,
      batchSize: values["batch-size"],
      seed: values.seed,
      verbose: 0,
      signal: stop.signal,
      onEvent,
      ...(resume === null ? {} : { resume }),
    });
  } finally {
    terminal.interrupted.removeEventListener("abort", abort);
    await keep.settled();
  }
  const { position } = model.trainingState();
  if (!stop.signal.aborted || position.epoch >= values.epochs) return (performance.now() - started) / 1000;
  await keep.now();
  terminal.write(
    `stopped after ${formatCount(position.step)} steps; saved ${checkpoint}: run the same command to continue\n`,
  );
  return null;
}

/** To the end of the run, not only of the epoch. */
const secondsLeft = (e: BatchEnd): number => e.eta + ((e.epochs - 1 - e.epoch) * e.samples) / e.samplesPerSecond;

/** Writes checkpoints beside the training: the state is copied at once, the file follows; never two at a time. A save that
 * fails (a full disk, say) is told and costs nothing but itself. */
class Keeper {
  private readonly model: Model;
  private readonly file: string;
  private readonly extra: Record<string, number | null>;
  private writing: Promise<void> | null = null;
  private readonly warn: (message: string) => void;

  constructor(model: Model, file: string, extra: Record<string, number | null>, warn: (message: string) => void) {
    this.model = model;
    this.file = file;
    this.extra = extra;
    this.warn = warn;
  }

  /** Saves in the background, unless a save is still under way. */
  later(): void {
    if (this.writing !== null) return;
    this.writing = saveCheckpoint(this.model.trainingState(), this.file, this.extra)
      .catch((error: unknown) => this.warn(error instanceof Error ? error.message : String(error)))
      .finally(() => void (this.writing = null));
  }

  async now(): Promise<void> {
    await this.settled();
    await saveCheckpoint(this.model.trainingState(), this.file, this.extra);
  }

  /** Resolves when no save is under way. */
  async settled(): Promise<void> {
    await this.writing;
  }
}

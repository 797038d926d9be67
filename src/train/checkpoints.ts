/** Callbacks that write files: models, backups, tables. */
import { ValueError } from "../base/index.ts";
import { appendToFile, fileExists, readFileBytes, removeFile, writeFileSafely } from "../io/index.ts";
import type { Callback, CallbackState, RunControl } from "./callbacks.ts";
import type { EpochEnd, Logs } from "./events.ts";
import type { Model } from "./model.ts";
import { Best, type MonitorOptions } from "./monitor.ts";
import { loadCheckpoint, saveCheckpoint, saveModel } from "./save.ts";
import type { TrainingState } from "./state.ts";

/** Options of `modelCheckpoint`. */
export interface ModelCheckpointOptions extends MonitorOptions {
  /** Only when the monitored value is the best so far; default false. */
  readonly saveBestOnly?: boolean;
  /** After each epoch, or every so many steps; default "epoch". */
  readonly saveFreq?: "epoch" | number;
  /** With `saveBestOnly`: a value that must be beaten; default none. */
  readonly initialValueThreshold?: number;
}

/** "m-{epoch:02d}-{val_loss:.2f}" with its values. */
function filled(pattern: string, values: Logs): string {
  return pattern.replace(/\{(\w+)(?::(0?)(\d*)(?:\.(\d+))?[df]?)?\}/g, (_, key: string, zero, width, digits) => {
    const value = values[key] as number | undefined;
    if (value === undefined)
      throw new ValueError(
        `[modelCheckpoint] "${pattern}" names {${key}}; there are ${Object.keys(values).join(", ")}.`,
      );
    const text = digits === undefined ? String(value) : value.toFixed(Number(digits));
    return text.padStart(Number(width), zero === "0" ? "0" : " ");
  });
}

/**
 * Saves the model after epochs or steps (Keras: ModelCheckpoint). The path may name `{epoch}`, counted from 1, `{batch}` and the logs,
 * with Python's formats: "digits-{epoch:02d}-{val_loss:.3f}.safetensors". Files are replaced in one step.
 *
 * @example
 * modelCheckpoint("runs/best.safetensors", { monitor: "val_accuracy", saveBestOnly: true });
 */
export function modelCheckpoint(path: string, options: ModelCheckpointOptions = {}): Callback {
  const { saveBestOnly = false, saveFreq = "epoch", initialValueThreshold = null } = options;
  if (saveFreq !== "epoch" && (!Number.isInteger(saveFreq) || saveFreq < 1))
    throw new ValueError(
      `[modelCheckpoint] saveFreq must be "epoch" or a whole number of steps ≥ 1, got ${String(saveFreq)}.`,
    );
  if (saveBestOnly && saveFreq !== "epoch")
    throw new ValueError('[modelCheckpoint] saveBestOnly goes with saveFreq "epoch": values are known at its end.');
  const best = new Best("modelCheckpoint", { ...options, baseline: initialValueThreshold });
  const save = (run: RunControl, values: Logs): Promise<void> => saveModel(run.model as Model, filled(path, values));
  return {
    name: "modelCheckpoint",
    async onBatchEnd(e, run) {
      if (saveFreq === "epoch" || e.step % saveFreq !== 0) return;
      await save(run, { ...e.metrics, epoch: e.epoch + 1, batch: e.batch + 1 });
    },
    async onEpochEnd(e, run) {
      if (saveFreq !== "epoch" || (saveBestOnly && !best.improved(e))) return;
      await save(run, { ...e.logs, epoch: e.epoch + 1 });
    },
    state: () => ({ values: { best: String(best.value), epoch: best.epoch } }),
    load({ values }) {
      best.value = Number(values["best"]);
      best.epoch = Number(values["epoch"]);
    },
  };
}

/** Options of `backupAndRestore`. */
export interface BackupOptions {
  /** After each epoch, or every so many steps; default "epoch". */
  readonly saveFreq?: "epoch" | number;
  /** Take the file away when training has ended; default true. */
  readonly deleteCheckpoint?: boolean;
}

type Extra = Record<string, CallbackState["values"]>;

/** A run's state with those of its callbacks, which are told apart by name and place. */
function withCallbacks(run: RunControl): { state: TrainingState; extra: Extra } {
  const state = run.state();
  const arrays = { ...state.arrays };
  const extra: Extra = {};
  run.callbacks.forEach((callback, i) => {
    const own = callback.state?.();
    if (own === undefined) return;
    const key = `callback/${callback.name ?? "callback"} ${i}`;
    extra[key] = own.values;
    for (const [name, a] of Object.entries(own.arrays ?? {})) arrays[`${key}/${name}`] = a;
  });
  return { state: { ...state, arrays }, extra };
}

function restoreCallbacks(run: RunControl, state: TrainingState, extra: Extra): void {
  run.callbacks.forEach((callback, i) => {
    const key = `callback/${callback.name ?? "callback"} ${i}`;
    if (extra[key] === undefined) return;
    const own = Object.entries(state.arrays).filter(([name]) => name.startsWith(`${key}/`));
    callback.load?.({
      values: extra[key],
      arrays: Object.fromEntries(own.map(([name, a]) => [name.slice(key.length + 1), a])),
    });
  });
}

/**
 * Keeps a run in a file, and goes on from that file when the program is started again (Keras: BackupAndRestore): weights, optimizer,
 * random stream, place in the data, sums of the epoch and the state of the other callbacks, so that the rest is bit for bit what it
 * would have been. The file is replaced in one step: a kill at any moment leaves a whole one.
 *
 * @throws FormatError when the file is damaged; ValueError when it is of another model, optimizer or batch size.
 * @example
 * await model.fit(train, { epochs: 20, callbacks: [backupAndRestore("runs/backup.safetensors", { saveFreq: 100 })] });
 */
export function backupAndRestore(path: string, options: BackupOptions = {}): Callback {
  const { saveFreq = "epoch", deleteCheckpoint = true } = options;
  if (saveFreq !== "epoch" && (!Number.isInteger(saveFreq) || saveFreq < 1))
    throw new ValueError(
      `[backupAndRestore] saveFreq must be "epoch" or a whole number of steps ≥ 1, got ${String(saveFreq)}.`,
    );
  // Saved at the event after: by then all callbacks have seen the one before.
  let due = false;
  const save = async (run: RunControl): Promise<void> => {
    if (!due) return;
    due = false;
    const { state, extra } = withCallbacks(run);
    await saveCheckpoint(state, path, extra);
  };
  return {
    name: "backupAndRestore",
    async onTrainBegin(_, run) {
      due = false;
      if (!(await fileExists(path))) return;
      const { state, extra } = await loadCheckpoint(path);
      run.restore(state, () => restoreCallbacks(run, state, (extra ?? {}) as unknown as Extra));
    },
    onEpochBegin: (_, run) => save(run),
    onBatchBegin: (_, run) => save(run),
    onBatchEnd({ step }) {
      due ||= saveFreq !== "epoch" && step % saveFreq === 0;
    },
    onEpochEnd() {
      due ||= saveFreq === "epoch";
    },
    async onTrainEnd({ reason }, run) {
      if (reason === "aborted") {
        due = true;
        await save(run);
      } else if (deleteCheckpoint) await removeFile(path);
    },
  };
}

/** Options of `csvLogger`. */
export interface CsvLoggerOptions {
  /** Default ",". */
  readonly separator?: string;
  /** Keep the lines of earlier epochs that the file has; default false. */
  readonly append?: boolean;
}

/**
 * One line an epoch: its number, from 0, and the logs (Keras: CSVLogger). The first line names the columns.
 *
 * @example await model.fit(data, { epochs: 2, callbacks: [csvLogger("runs/log.csv")] });
 */
export function csvLogger(path: string, options: CsvLoggerOptions = {}): Callback {
  const { separator = ",", append = false } = options;
  const bytes = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(lines.map((l) => `${l}\n`).join(""));
  let columns: readonly string[] | null = null;
  const begin = async (e: EpochEnd): Promise<void> => {
    const old = append && (await fileExists(path)) ? new TextDecoder().decode(await readFileBytes(path)) : "";
    const [head, ...rows] = old.split("\n").filter((line) => line !== "");
    columns = head?.split(separator) ?? ["epoch", ...Object.keys(e.logs)];
    const kept = rows.filter((row) => Number(row.split(separator)[0]) < e.epoch);
    await writeFileSafely(path, bytes([columns.join(separator), ...kept]));
  };
  return {
    name: "csvLogger",
    onTrainBegin() {
      columns = null;
    },
    async onEpochEnd(e) {
      if (columns === null) await begin(e);
      const values: Logs = { ...e.logs, epoch: e.epoch };
      await appendToFile(path, bytes([(columns ?? []).map((c) => String(values[c] ?? "")).join(separator)]));
    },
  };
}

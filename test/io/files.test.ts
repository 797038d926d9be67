import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { open, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  decodeCheckpoint,
  decodeModelFile,
  decodeSafetensors,
  encodeCheckpoint,
  encodeModelFile,
  encodeSafetensors,
  readFileBytes,
  writeFileSafely,
} from "../../src/io/index.ts";
import * as browser from "../../src/io/files.browser.ts";
import { type WriteSystem, writeFileSafely as writeWith } from "../../src/io/files.node.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), "chainrule-"))));
afterEach(() => rm(folder, { recursive: true }));

/** A disk with room for `room` bytes. */
function smallDisk(room: number): WriteSystem {
  return {
    rename,
    open: async (file) => {
      const handle = await open(file, "wx");
      return {
        writeFile: async (bytes) => {
          await handle.writeFile(bytes.subarray(0, room));
          if (bytes.length > room)
            throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
        },
        sync: () => handle.sync(),
        close: () => handle.close(),
      };
    },
  };
}

describe("writing safely", () => {
  test("writes, replaces, makes folders, leaves nothing else", async () => {
    const file = path.join(folder, "a", "b", "f");
    await writeFileSafely(file, Uint8Array.of(1));
    await writeFileSafely(file, Uint8Array.of(2, 3));
    expect(Array.from(await readFileBytes(file))).toEqual([2, 3]);
    expect(await readdir(path.dirname(file))).toEqual(["f"]);
  });

  test("a full disk keeps the old file, and says so", async () => {
    const file = path.join(folder, "f");
    await writeFile(file, "old");
    await expect(writeWith(file, new Uint8Array(100_000), smallDisk(10))).rejects.toThrow(
      `[save] cannot write "${file}" (100 kB): the disk is full; free some space and save again (ENOSPC). What was there is unchanged.`,
    );
    expect(await readFile(file, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["f"]);
  });

  test("a full disk without an old file leaves none", async () => {
    await expect(writeWith(path.join(folder, "f"), new Uint8Array(100), smallDisk(10))).rejects.toThrow(
      "No file was left behind.",
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test("a failed rename keeps the old file", async () => {
    const file = path.join(folder, "f");
    await mkdir(file);
    await expect(writeFileSafely(file, Uint8Array.of(1))).rejects.toThrow(
      "it is a folder (EISDIR). What was there is unchanged.",
    );
    expect(await readdir(folder)).toEqual(["f"]);
  });

  test("a folder that is a file, a missing file, a browser", async () => {
    await writeFile(path.join(folder, "f"), "x");
    await expect(writeFileSafely(path.join(folder, "f", "g"), Uint8Array.of(1))).rejects.toThrow("[save] cannot write");
    await expect(readFileBytes(path.join(folder, "no"))).rejects.toThrow(
      /\[load\] cannot read .* there is no such file or folder \(ENOENT\)/,
    );
    await expect(browser.readFileBytes("x")).rejects.toThrow("a browser has no file paths");
    await expect(browser.writeFileSafely("x", new Uint8Array())).rejects.toThrow("offer them as a Blob");
  });
});

const weights = { "dense/kernel": { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: "float32" as const } };
const model = { config: { class: "sequential", layers: [] }, weights };

describe("models and checkpoints", () => {
  test("round trip; any safetensors reader sees the weights", () => {
    const bytes = encodeModelFile({ ...model, notes: { accuracy: 0.99 } });
    expect(decodeModelFile(bytes)).toEqual({ ...model, notes: { accuracy: 0.99 } });
    expect(decodeSafetensors(bytes).tensors).toEqual(weights);
    const checkpoint = { arrays: weights, position: { epoch: 1, batch: 2, step: 3 }, meta: { seed: 0 }, extra: null };
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  test("a flipped bit anywhere is noticed", () => {
    const bytes = encodeModelFile(model);
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i] ^= 1;
      // Spaces that pad the header are the only bytes that mean nothing.
      if (bytes[i] === 0x20) continue;
      expect(() => decodeModelFile(changed), `byte ${i}`).toThrow();
    }
    const last = bytes.slice();
    last[last.length - 1] ^= 1;
    expect(() => decodeModelFile(last, "m")).toThrow(
      /^\[model\] "m" is damaged: its checksum is [0-9a-f]{8}, it was saved with [0-9a-f]{8}/,
    );
  });

  test("another kind, a later version, somebody else's file", () => {
    const checkpoint = encodeCheckpoint({ arrays: {}, position: null, meta: null });
    expect(() => decodeModelFile(checkpoint, "c")).toThrow('[model] "c" holds "checkpoint", not a model.');
    expect(() => decodeModelFile(encodeSafetensors(weights), "f")).toThrow("holds tensors but no architecture");
    const later = encodeSafetensors({}, { chainrule: JSON.stringify({ format: 2, kind: "model" }) });
    expect(() => decodeModelFile(later, "f")).toThrow(
      "has format version 2; this program reads up to 1. Update chainrule.",
    );
    expect(() => decodeModelFile(encodeSafetensors({}, { chainrule: "[" }), "f")).toThrow("is not a JSON object");
  });
});

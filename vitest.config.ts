import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A process a file: V8 flags, workers and resident memory are per process, and tests set or measure all three.
    pool: "forks",
    maxWorkers: Math.min(availableParallelism(), 8),
    // Tests compile what they test; test/runtime/keeper.test.ts has a folder of its own.
    env: { CHAINRULE_CACHE: "off" },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

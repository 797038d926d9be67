// The random graphs of test/fuzz, every kernel of them divided among three threads: nothing stands still, and all agrees.
import { beforeAll } from "vitest";
import { divideAll, gather } from "./crew.ts";

process.env["FUZZ_RUNS"] ??= "100";
process.env["FUZZ_SEED"] ??= "77";
beforeAll(async () => {
  divideAll();
  await gather(3);
});
await import("../fuzz/fuzz.test.ts");

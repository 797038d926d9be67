// The suite of bits.ts in machine code, where there is some.
import { test } from "vitest";
import { machineDevice } from "../../src/engine.node.ts";

const machine = machineDevice(1);
process.env["CHAINRULE_DEVICE"] = "x64";
if (machine.name === undefined) test.skip(`no machine code here: ${machine.why}`);
else await import("./bits.ts");

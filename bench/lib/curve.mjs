// node curve.mjs <workload> <steps>: the losses of that many training steps, sent to the parent; device and threads are set
// by the environment.
import { programs } from "./workloads.mjs";

const [workload, steps] = process.argv.slice(2);
const losses = [];
for await (const { step } of await programs(workload, "chainrule")) {
  while (losses.length < Number(steps)) losses.push(await step());
  break;
}
process.send(losses, () => process.exit());

// One process, one peer, one workload: node child.mjs <toolkit> <peer> <workload> <budget ms> [start time of a cold start]
import { measure } from "./measure.mjs";
import { programs } from "./workloads.mjs";

const [toolkit, peer, workload, budget, started] = process.argv.slice(2);
const alive = setInterval(() => {}, 1e6); // a peer's own threads may not keep the process up
/** An error in its own words; stacks name places of this machine, which results must not hold. */
const said = (error) => String(error?.message ?? error).slice(0, 300);
const send = (message) => new Promise((done) => process.send(message, done));
try {
  for await (const figure of await programs(workload, toolkit, peer)) {
    if (started !== undefined) {
      await figure.step();
      const { user, system } = process.cpuUsage();
      const wall = { ms: performance.timeOrigin + performance.now() - Number(started) };
      await send({ metric: figure.metric, wall, processor: { ms: (user + system) / 1e3 } });
      break;
    }
    await send({ starting: figure.metric });
    try {
      await send(await measure(figure, Number(budget)));
    } catch (error) {
      await send({ metric: figure.metric, error: said(error) });
    }
  }
} catch (error) {
  await send({ metric: "", error: said(error) });
}
clearInterval(alive);
process.disconnect();
process.exit();

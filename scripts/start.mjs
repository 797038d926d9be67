// `npm start`: set up, then the main job. Arguments pass through: npm start -- --epochs 1
import { root, run } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

await setup();
process.exit(await run(process.execPath, [`${root}/dist/node/cli.js`, "start", ...process.argv.slice(2)]));

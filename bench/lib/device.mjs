// node device.mjs: tells its parent which device and how many threads ours takes under this environment.
import { device } from "chainrule";

process.send(device(), () => process.exit());

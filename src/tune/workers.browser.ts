import { ChainruleError } from "../base/index.ts";
import type { Runner } from "./runner.ts";

export const processRunner = (url: string): Runner => {
  throw new ChainruleError(`[search] a browser starts no processes for ${url}: pass the objective as a function.`);
};

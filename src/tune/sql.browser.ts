import { ChainruleError } from "../base/index.ts";
import type { Store } from "./store.ts";

export const openStore = (where: string): Promise<Store> =>
  Promise.reject(
    new ChainruleError(`[tune] a browser cannot open the store ${JSON.stringify(where)}: leave \`store\` out.`),
  );

import { CONTRACTIONS } from "./rows.contract.ts";
import { ELEMENTWISE } from "./rows.elementwise.ts";
import { SHAPED } from "./rows.shape.ts";
import type { OpRow } from "./row.ts";

/** Every primitive, by kind. */
export const TABLE: readonly OpRow[] = [...ELEMENTWISE, ...SHAPED, ...CONTRACTIONS];

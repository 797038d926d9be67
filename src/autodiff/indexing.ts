/** Derivatives of indexing: gather and scatter-add are each other's transpose. */
import { build, type Row } from "../ir/index.ts";
import { like } from "./nodes.ts";

/** The rows of gather and scatterAdd. */
export const indexRules: { readonly gather: Row<"gather">; readonly scatterAdd: Row<"scatterAdd"> } = {
  gather: (n, ct) => [build.scatterAdd(like(n.srcs[0], 0), n.srcs[1], ct, n.attrs.axis), null],
  scatterAdd: (n, ct, needs) => [ct, null, needs[2] ? build.gather(ct, n.srcs[1], n.attrs.axis) : null],
};

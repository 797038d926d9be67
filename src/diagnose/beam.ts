import { ValueError } from "../base/index.ts";

/** What `beamErrorAnalysis` gives. */
export interface BeamErrorReport {
  /** For each sentence: "beam" where the model finds the reference likelier than what search gave, else "model". */
  readonly blame: readonly ("beam" | "model")[];
  /** Shares of the sentences, summing to 1. */
  readonly beam: number;
  readonly model: number;
  readonly advice: string;
}

/**
 * Who is at fault for wrong outputs of a beam search: P(y*) > P(ŷ) means that the search missed a likelier sentence (widen the
 * beam), otherwise the model prefers the wrong one (S-369, S-418).
 *
 * @param pairs for each wrong sentence the (log-)probability of the reference and of the search's output under the model
 * @throws ValueError without sentences.
 * @example beamErrorAnalysis([{ reference: 0.3, output: 0.2 }, { reference: 0.1, output: 0.2 }]).blame; // ["beam", "model"]
 */
export function beamErrorAnalysis(
  pairs: readonly { readonly reference: number; readonly output: number }[],
): BeamErrorReport {
  if (pairs.length === 0) throw new ValueError("[beamErrorAnalysis] needs at least one sentence.");
  const blame = pairs.map(({ reference, output }) => (reference > output ? "beam" : "model"));
  const beam = blame.filter((b) => b === "beam").length / pairs.length;
  const advice =
    beam > 0.5
      ? "most errors come from the search: widen the beam, or change the length normalisation"
      : "most errors come from the model: more data, regularisation, or another architecture";
  return { blame, beam, model: 1 - beam, advice };
}

/**
 * How many kernels well-known graphs become, and the text of their plans as committed in plans/. A change of the scheduler
 * shows here first. When the new plan is meant: npx vitest run test/golden -u, and the difference goes into the commit.
 */
import { describe, expect, test } from "vitest";
import * as g from "./graphs.ts";

/** `contract conv+maximum`, in order. */
const list = (plan: string): string[] => g.kernelsOf(plan).map((k) => `${k.kind} ${k.name}`);
/** A step's kernels without the scalar that counts steps. */
const working = (plan: string): string[] => list(plan).filter((k) => k !== "loop add");

describe("kernel counts", () => {
  test("a softmax is one kernel, and so is its gradient", () => {
    expect(list(g.softmaxRow())).toEqual(["loop max+exp+sum+div+mul"]);
    expect(g.kernelsOf(g.softmaxGradient())).toHaveLength(1);
  });

  test("a layer norm is one kernel", () => {
    expect(list(g.layerNormRow())).toEqual(["loop sum+sum+sqrt+add"]);
  });

  test("an Adam step of one parameter is one kernel; the other counts the step", () => {
    const kernels = g.kernelsOf(g.adamAlone());
    expect(kernels.map((k) => k.name)).toEqual(["add", "add+add+sub"]);
    expect(kernels[0].text).toContain(" 1flop");
    expect(kernels[1].text).toContain("→ 3");
  });

  test("an Adam step on the gradient of a weight matrix is the epilogue of its product", () => {
    expect(list(g.adamOnProduct())).toEqual(["loop add", "contract dot+add+add+sub"]);
  });

  test("an SGD step on some rows of a table never passes over the table", () => {
    const [scores, loss, back, ...updates] = working(g.sgdOnRows());
    expect([scores, loss, back]).toEqual(["loop dot", "loop sum", "loop dot"]);
    expect(updates).toEqual(["loop scatterAdd", "loop scatterAdd"]);
  });

  test("a dense layer with ReLU is one contraction", () => {
    expect(list(g.denseRelu())).toEqual(["contract dot+maximum"]);
  });

  test("convolution, bias and ReLU are one contraction; padding is a kernel before it", () => {
    expect(list(g.convRelu("valid"))).toEqual(["contract conv+maximum"]);
    const padded = g.kernelsOf(g.convRelu("same"));
    expect(padded.map((k) => k.kind)).toEqual(["loop", "contract"]);
    expect(padded[1].name).toBe("conv+maximum");
    expect(padded[0].text).toContain(" 0flop");
  });

  test("attention is two contractions around one softmax, which scales and masks as it reads", () => {
    expect(list(g.attention())).toEqual(["contract dot", "loop max+exp+sum+div+mul", "contract dot"]);
  });

  test("batch norm: statistics with their moving averages, then the map; without training constants, then the map", () => {
    expect(list(g.batchNormTraining())).toEqual(["loop sum+sum+sub+div+add+add", "loop add"]);
    expect(g.kernelsOf(g.batchNormTrained())).toHaveLength(2);
  });

  test("every contraction of an MLP step has its neighbours in its epilogue", () => {
    const kernels = working(g.mlpStep());
    expect(kernels).toEqual([
      "contract dot+maximum",
      "contract dot+maximum",
      "contract dot",
      "loop max+exp+sum+log+sum+sum+2",
      "loop sum+mul",
      "contract dot+where",
      "contract dot+where",
      ...["", "", ""].flatMap(() => ["contract dot+add+add+sub", "loop sum+add+add+sub"]),
    ]);
  });

  test("an LSTM's turn is a product and its gates, backwards too; what they multiply by is laid out before the loop", () => {
    const turn = g
      .lstmStep()
      .split("\n")
      .filter((line) => line.startsWith("       "))
      .flatMap((line) => g.kernelsOf(line).map((k) => k.kind));
    expect(turn.filter((kind) => kind === "contract")).toHaveLength(2);
    // Both states of the turn live in what is kept for the way back.
    expect(turn.filter((kind) => kind === "loop")).toHaveLength(2);
  });

  test("a LeNet-5 step has 14 contractions: 3 a layer, less the gradient of the images", () => {
    const kernels = working(g.lenetStep());
    expect(kernels.filter((k) => k.startsWith("contract"))).toHaveLength(14);
    expect(kernels).not.toContain("loop copy");
    expect(kernels.filter((k) => k.startsWith("loop windowMax"))).toHaveLength(2);
    // Of both pools, and the padding of one; the masks of the activations before them are on the windows.
    expect(kernels.filter((k) => k.startsWith("loop windowPickGrad"))).toHaveLength(3);
    expect(kernels).not.toContain("loop where");
  });
});

describe("plan text", () => {
  test.each([
    ["attention", g.attention],
    ["batch-norm-training", g.batchNormTraining],
    ["softmax-gradient", g.softmaxGradient],
    ["adam", g.adamAlone],
    ["mlp-step", g.mlpStep],
    ["lenet5-step", g.lenetStep],
    ["lstm-step", g.lstmStep],
  ])("%s", async (name, plan) => {
    await expect(`${plan()}\n`).toMatchFileSnapshot(`plans/${name}.txt`);
  });

  test("is the same however often and in whichever order plans are made", () => {
    expect(g.lenetStep()).toBe(g.lenetStep());
    expect(g.mlpStep()).toBe(g.mlpStep());
  });
});

import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam, sgd } from "../../src/optim/index.ts";
import { compiled, ones, oneHot, relu as bareRelu, type Tensor, tensor, zeros } from "../../src/tensor/index.ts";
import { numbers } from "./harness.ts";

const { add, batchNorm, conv2d, dense, dropout, flatten, input, model, modelFromConfig, relu, sequential } = nn;
const again = (net: nn.Model, options?: nn.ConfigOptions): nn.Model =>
  modelFromConfig(JSON.parse(JSON.stringify(net.config())) as nn.ModelConfig, options);

/** 8 inputs, 4 relu, 4 relu, 1 sigmoid: the network of S-432. */
const notes = (): nn.Model =>
  sequential(
    [dense(4, { activation: "relu" }), dense(4, { activation: "relu" }), dense(1, { activation: "sigmoid" })],
    { inputShape: [8] },
  );

describe("catalogue: api", () => {
  test("S-432 sequential: 36 + 20 + 5 = 61 parameters; compile, fit, evaluate, predict", async () => {
    setSeed(1);
    const net = notes();
    expect(net.layers.map((l) => nn.countParameters(l.variables))).toEqual([36, 20, 5]);
    expect(nn.countParameters(net.variables)).toBe(61);
    const x = numbers(1, [64, 8]);
    const y = x.sum(1).greater(0).cast("float32");
    net.compile({ optimizer: adam(0.02), loss: "binaryCrossentropy", metrics: ["accuracy"] });
    const { history } = await net.fit([x, y], { epochs: 20, batchSize: 16, verbose: 0 });
    expect(history.loss[19]).toBeLessThan(history.loss[0] / 2);
    expect((await net.evaluate([x, y])).accuracy).toBeGreaterThan(0.9);
    const p = await net.predict(x);
    expect(p.shape).toEqual([64, 1]);
    expect(p.greaterEqual(0).all().item() + p.lessEqual(1).all().item()).toBe(2);
  });

  test("add puts layers at the end, as in Keras: the same network as of a list", () => {
    setSeed(3);
    const whole = notes();
    setSeed(3);
    const grown = sequential();
    grown.add(dense(4, { activation: "relu" }));
    grown.add(sequential([dense(4)], { name: "inner" }));
    grown.add(relu);
    grown.add(dense(1, { activation: "sigmoid" }));
    expect(grown.layers.map((l) => l.name)).toEqual(["dense", "inner", "relu", "dense_1"]);
    grown.build([null, 8]);
    expect(Object.keys(grown.weights())).toContain("inner/dense/kernel");
    expect(nn.countParameters(grown.variables)).toBe(61);
    const x = numbers(1, [5, 8]);
    expect(grown(x).dataSync()).toEqual(whole(x).dataSync());
    const [first] = sequential([dense(2)]).layers;
    const twice = sequential([first]);
    expect(() => twice.add(first)).toThrow("stands twice");
  });

  test("S-433 functional: a residual block, two heads, and a chain equal to sequential", () => {
    const x = input([8, 8, 3]);
    const h = conv2d(3, 3, { padding: "same", activation: "relu" })(x);
    const block = model(x, relu(add()([x, conv2d(3, 3, { padding: "same" })(h)])));
    expect(block(zeros([2, 8, 8, 3])).shape).toEqual([2, 8, 8, 3]);
    const trunk = dense(16, { activation: "relu" })(flatten()(x));
    const heads = model(x, [dense(10, { name: "digit" })(trunk), dense(1, { name: "parity" })(trunk)]);
    const [digit, parity] = heads(ones([4, 8, 8, 3]));
    expect([digit.shape, parity.shape]).toEqual([
      [4, 10],
      [4, 1],
    ]);
    expect(heads.variables.length).toBe(6);
    setSeed(9);
    const chain = sequential([dense(5, { activation: "relu" }), dense(2)], { inputShape: [3] });
    setSeed(9);
    const at = input([3]);
    const graph = model(at, dense(2)(dense(5, { activation: "relu" })(at)));
    const data = numbers(2, [4, 3]);
    expect(graph(data).dataSync()).toEqual(chain(data).dataSync());
    expect(Object.keys(graph.weights())).toEqual(Object.keys(chain.weights()));
  });

  test("S-434 dense with an activation is dense and the activation as a layer", () => {
    setSeed(4);
    const one = sequential([dense(4, { activation: "relu" })], { inputShape: [8] });
    const two = sequential([dense(4), relu], { inputShape: [8] });
    const three = sequential([dense(4), nn.activation("relu")], { inputShape: [8] });
    two.setWeights(one.weights());
    three.setWeights(one.weights());
    const x = numbers(3, [5, 8]);
    expect(two(x).dataSync()).toEqual(one(x).dataSync());
    expect(three(x).dataSync()).toEqual(one(x).dataSync());
  });

  test("S-435 categorical cross-entropy on one-hot labels equals the sparse one", () => {
    const hot = oneHot([0, 2, 1], 3);
    expect([hot.shape, [...hot.dataSync()]]).toEqual([
      [3, 3],
      [1, 0, 0, 0, 0, 1, 0, 1, 0],
    ]);
    const logits = numbers(4, [3, 3]);
    const labels = tensor(new Int32Array([0, 2, 1]));
    expect(nn.crossEntropy(logits, hot).item()).toBeCloseTo(nn.crossEntropy(logits, labels).item(), 6);
    expect(nn.sparseCategoricalCrossentropy()(nn.softmax(logits), labels).item()).toBe(
      nn.crossEntropy(logits, labels).item(),
    );
    expect(() => nn.categoricalCrossentropy()(logits, labels)).toThrow(
      /prediction \[3, 3\] and target \[3\] need one shape.*sparseCategoricalCrossentropy/,
    );
  });

  test("S-436, S-228, S-229 parameters of convolutions: 760, 76, 140, 294, 230", () => {
    const count = (layer: nn.Layer, channels: number): number => {
      layer.build([null, 16, 16, channels]);
      return nn.countParameters(layer.variables);
    };
    expect(count(conv2d(10, 5), 3)).toBe(760);
    expect(count(conv2d(1, 5), 3)).toBe(76);
    expect(count(conv2d(1, 5, { useBias: false }), 3)).toBe(75);
    expect(count(conv2d(5, 3), 3)).toBe(140);
    expect(count(conv2d(6, 4), 3)).toBe(294);
    expect(count(conv2d(5, 3), 5)).toBe(230);
  });

  test("S-437 freezing two layers of 8-4-4-1: 61 trainable parameters become 5, and stay as they are", async () => {
    const net = notes();
    net.layers[0].trainable = false;
    net.layers[1].trainable = false;
    expect(nn.countParameters(net.trainableVariables)).toBe(5);
    const before = net.weights();
    net.compile({ optimizer: sgd(0.1), loss: "binaryCrossentropy" });
    await net.fit([numbers(1, [32, 8]), ones([32])], { epochs: 2, verbose: 0 });
    const after = net.weights();
    for (const name of ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"])
      expect(after[name]).toEqual(before[name]);
    expect(after["dense_2/kernel"]).not.toEqual(before["dense_2/kernel"]);
    expect(net.summary()).toContain("dense_1 (dense) frozen");
    expect(again(net).trainableVariables.length).toBe(2);
    net.layers[1].trainable = true;
    await net.fit([numbers(1, [32, 8]), ones([32])], { verbose: 0 });
    const thawed = net.weights();
    expect(thawed["dense_1/kernel"]).not.toEqual(after["dense_1/kernel"]);
    expect(thawed["dense/kernel"]).toEqual(before["dense/kernel"]);
    net.trainable = false;
    expect(net.trainableVariables).toEqual([]);
  });
});

describe("catalogue: networks of the notes", () => {
  test("S-233, S-232 39×39×3 → 37 → 17 → 7 → 1960; convolutions 280, 5020, 20 040", () => {
    const net = sequential(
      [conv2d(10, 3), conv2d(20, 5, { strides: 2 }), conv2d(40, 5, { strides: 2 }), flatten(), dense(1)],
      { inputShape: [39, 39, 3] },
    );
    let shape: nn.OpenShape = [null, 39, 39, 3];
    const shapes = net.layers.slice(0, 4).map((l) => (shape = l.outputShape(shape)));
    expect(shapes).toEqual([
      [null, 37, 37, 10],
      [null, 17, 17, 20],
      [null, 7, 7, 40],
      [null, 1960],
    ]);
    expect(net.layers.slice(0, 3).map((l) => nn.countParameters(l.variables))).toEqual([280, 5020, 20_040]);
  });

  test("S-234, S-243, S-244 LeNet-5: conv 2572, pooling 0, dense 59 134 of which 48 120, 10 164, 850", () => {
    const net = sequential(
      [
        conv2d(6, 5, { padding: "same" }),
        relu,
        nn.maxPool2d(2),
        conv2d(16, 5),
        relu,
        nn.maxPool2d(2),
        flatten(),
        dense(120),
        relu,
        dense(84),
        relu,
        dense(10),
      ],
      { inputShape: [28, 28, 1] },
    );
    const of = (kind: string): number[] =>
      net.layers.filter((l) => l.class === kind).map((l) => nn.countParameters(l.variables));
    expect(of("conv2d")).toEqual([156, 2416]);
    expect(of("maxPool2d")).toEqual([0, 0]);
    expect(of("dense")).toEqual([48_120, 10_164, 850]);
    expect([...of("conv2d"), ...of("dense")].length).toBe(5);
    expect(nn.countParameters(net.variables)).toBe(61_706);
  });

  test("S-231 conv 3×3 and 2×2 pooling, eight times: 256 → 1, first 140, then 230 parameters", () => {
    const net = sequential(
      Array.from({ length: 8 }, () => [conv2d(5, 3, { padding: "same" }), relu, nn.maxPool2d(2)]).flat(),
      { inputShape: [256, 256, 3] },
    );
    expect(net.outputShape([null, 256, 256, 3])).toEqual([null, 1, 1, 5]);
    expect(net.layers.filter((l) => l.class === "conv2d").map((l) => nn.countParameters(l.variables))).toEqual([
      140,
      ...Array(7).fill(230),
    ]);
  });
});

describe("names and configurations", () => {
  test("names are unique in a model; variables carry them", () => {
    const inner = sequential([dense(2), dense(2)], { name: "block" });
    const net = sequential([dense(3), dense(3, { name: "mine" }), relu, dense(3), relu, inner], { inputShape: [3] });
    expect(net.layers.map((l) => l.name)).toEqual(["dense", "mine", "relu", "dense_1", "relu_1", "block"]);
    const names = Object.keys(net.namedVariables());
    expect(names.slice(-4)).toEqual([
      "block/dense/kernel",
      "block/dense/bias",
      "block/dense_1/kernel",
      "block/dense_1/bias",
    ]);
    expect(net.variables.map((v) => v.name)).toEqual(names);
    expect(net.layer("block/dense_1")).toBe(inner.layers[1]);
    expect(() => net.layer("dense_7")).toThrow(
      '[sequential "sequential"] has no layer "dense_7": it has dense, mine, relu',
    );
    expect(() => sequential([dense(1, { name: "a" }), dense(1, { name: "a" })])).toThrow('two layers are named "a"');
  });

  test("JSON and weights make the same network again: sequential, nested, functional, shared, several inputs", () => {
    setSeed(2);
    const block = sequential(
      [conv2d(4, 3, { padding: "same", activation: nn.leakyRelu({ slope: 0.1 }) }), batchNorm({ momentum: 0.9 })],
      { name: "block" },
    );
    const plain = sequential(
      [
        block,
        nn.globalAvgPool(),
        dropout(0.1),
        dense(2, { kernelInitializer: nn.heNormal({ seed: 3 }) }),
        nn.elu({ alpha: 0.5 }),
      ],
      { inputShape: [6, 6, 1] },
    );
    const [a, b] = [input([4], { name: "left" }), input([4], { name: "right" })];
    const shared = dense(3, { activation: "tanh", name: "shared" });
    const siamese = model([a, b], dense(1)(nn.subtract()([shared(a), shared(b)])), { name: "siamese" });
    const image = numbers(5, [2, 6, 6, 1]);
    const copy = again(plain);
    copy.setWeights(plain.weights());
    expect(copy(image).dataSync()).toEqual(plain(image).dataSync());
    expect(copy.config()).toEqual(plain.config());
    expect(copy.summary()).toBe(plain.summary());
    const two = again(siamese);
    two.setWeights(siamese.weights());
    const pair = [numbers(6, [5, 4]), numbers(7, [5, 4])];
    expect(two(pair).dataSync()).toEqual(siamese(pair).dataSync());
    expect(nn.countParameters(two.variables)).toBe(15 + 4);
    expect(siamese.summary()).toContain("shared");
  });

  test("layers of one's own come back through a table that is passed", () => {
    const scale = (options: { by: number; name?: string }): nn.Layer =>
      nn.makeLayer({ class: "scale", options, config: { by: options.by }, call: ([x]) => x.mul(options.by) });
    const net = sequential([scale({ by: 3 })], { inputShape: [2] });
    expect(() => again(net)).toThrow('unknown layer class "scale"');
    const back = again(net, { layers: { scale: (c) => scale({ by: c["by"] as number, name: c.name }) } });
    expect([...back(ones([1, 2])).dataSync()]).toEqual([3, 3]);
    expect(() => sequential([(x: Tensor) => x.mul(2)]).config()).toThrow(/has no JSON form/);
    // The tensor room's own relu is the layer of that name.
    expect(sequential([bareRelu, dense(2, { activation: bareRelu })]).layers.map((l) => l.class)).toEqual([
      "relu",
      "dense",
    ]);
  });

  test("setWeights lists everything that does not fit and then writes nothing", () => {
    const net = notes();
    const weights = net.weights();
    const { ["dense/bias"]: _, ...rest } = weights;
    const wrong = { ...rest, extra: weights["dense/bias"], "dense_1/kernel": weights["dense/kernel"] };
    const before = net.weights();
    expect(() => net.setWeights(wrong)).toThrow(
      /dense\/bias \[4\] is missing; dense_1\/kernel is \[4, 4\], got \[8, 4\]; extra is not in the model/,
    );
    expect(net.weights()).toEqual(before);
  });

  test("summary: names, shapes, parameters, totals", () => {
    expect(notes().summary()).toMatchInlineSnapshot(`
      "Model "sequential"

      Layer (class)    Output shape  Parameters  Multiply-adds
      dense (dense)    [batch, 4]            36             32
      dense_1 (dense)  [batch, 4]            20             16
      dense_2 (dense)  [batch, 1]             5              4
      Total                                  61             52

      Trainable 61, not trainable 0, 1 KB."
    `);
    expect(sequential([dense(2)]).summary()).toContain("Not built yet");
    const x = input([4]);
    expect(model(x, add()([x, dense(4)(x)])).summary()).toMatch(/^add \(add\) .* 0  input, dense$/m);
  });
});

describe("calling", () => {
  test("variables are made on the first call, also inside compiled and valueAndGrad", () => {
    const net = sequential([flatten(), dense(3), relu, dense(1)]);
    const optimizer = sgd(0.01);
    const x = numbers(8, [4, 2, 3]);
    const step = compiled((batch: Tensor) => {
      const [loss, grads] = valueAndGrad(net, () => net(batch).square().mean());
      optimizer.update(net, grads);
      return loss;
    });
    const [first, second] = [step(x).item(), step(x).item()];
    expect(net.variables.map((v) => v.shape)).toEqual([[6, 3], [3], [3, 1], [1]]);
    expect(second).toBeLessThan(first);
  });

  test("float64 input makes a float64 network", () => {
    const net = sequential([dense(3), batchNorm(), dense(1)]);
    expect(net(ones([2, 4], { dtype: "float64" })).dtype).toBe("float64");
    expect(net.variables.every((v) => v.dtype === "float64")).toBe(true);
  });

  test("null sizes stay open: a fully convolutional network takes any image", () => {
    const net = sequential([conv2d(4, 3, { padding: "same" }), nn.maxPool2d(2), nn.globalMaxPool()], {
      inputShape: [null, null, 3],
    });
    expect(net.layers[1].outputShape([null, null, null, 4])).toEqual([null, null, null, 4]);
    expect(net(zeros([1, 8, 8, 3])).shape).toEqual([1, 4]);
    expect(net(zeros([2, 12, 10, 3])).shape).toEqual([2, 4]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "a flat layer on images",
      () => sequential([dense(256, { name: "fc1" })], { inputShape: [784] })(zeros([128, 28, 28])),
      '[dense "fc1"] expects last axis 784, got input [128, 28, 28]; weight [784, 256] needs [..., 784]. Did you forget flatten()?',
    ],
    [
      "no channel axis",
      () => conv2d(4, 3)(zeros([2, 28, 28])),
      '[conv2d "conv2d"] expects [batch, height, width, channels], got input [2, 28, 28]. Is the channel axis missing?',
    ],
    [
      "channels first",
      () => sequential([conv2d(4, 3)], { inputShape: [28, 28, 3] })(zeros([2, 3, 28, 28])),
      "The channels must be the last axis",
    ],
    ["a window too large", () => conv2d(4, 7)(zeros([1, 5, 5, 1])), "a window of 7 does not fit 5 on spatial axis 0"],
    [
      "an unknown activation",
      () => dense(3, { activation: "rleu" as "relu" }),
      'unknown activation "rleu": did you mean "relu"?',
    ],
    [
      "an unknown initializer",
      () => dense(3, { kernelInitializer: "he_norml" as "heNormal" }),
      'unknown initializer "he_norml": did you mean "heNormal"?',
    ],
    ["a rate of 1", () => dropout(1), "0 ≤ rate < 1, got 1"],
    ["units of 0", () => dense(0), "[dense] units must be a whole number ≥ 1, got 0"],
    ["not a layer", () => sequential([dense(2), null as never]), "item 1 is null, not a layer"],
    ["an array instead of a tensor", () => dense(2)([1, 2] as never), '[dense "dense"] takes a tensor, got number'],
    [
      "a missing input",
      () => model(input([3]), dense(1)(input([4], { name: "other" }))),
      'an input() [batch, 4] "other" that is not among the inputs',
    ],
    [
      "another shape into a model",
      () => {
        const x = input([3]);
        model(x, dense(1)(x))(zeros([2, 4]));
      },
      "input 0 is [batch, 3], got [2, 4]",
    ],
    ["reading a symbol", () => input([3]).dataSync(), "has no data: close the graph with model(inputs, outputs)"],
    ["one tensor to add", () => add()([zeros([2])]), "joins two tensors or more"],
    [
      "errors of operations say in which layer",
      () => sequential([nn.lambda((x) => x.reshape([7]), { name: "fold" })])(zeros([2, 3])),
      'in [lambda "fold"], called on [2, 3]',
    ],
  ])("an error with its repair: %s", (_, f, message) => {
    expect(f).toThrow(message);
  });
});

/** The graph and session of TensorFlow 1: the notes' script, rows S-428 and S-429, mistakes. */
import { describe, expect, test } from "vitest";
import { random, type Tensor } from "../../src/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as tf from "../../src/compat/tf1/index.ts";

const coefficients = np.array([[1], [-20], [25]]);
const polynomial = (): { w: tf.Variable; x: tf.Placeholder; cost: tf.GraphTensor } => {
  const w = new tf.Variable([0], { dtype: tf.float32 });
  const x = tf.placeholder(tf.float32, [3, 1]);
  const cost = x.at(0, 0).mul(w.pow(2)).add(x.at(1, 0).mul(w)).add(x.at(2, 0));
  return { w, x, cost };
};

test("S-428 Variable, placeholder, feed_dict", () => {
  let ran = 0;
  const counted = new tf.GraphTensor("counted", [], () => {
    ran++;
    return np.array(1);
  });
  tf.add(counted, 1);
  expect(ran).toBe(0); // building runs nothing
  const { w, x, cost } = polynomial();
  const session = new tf.Session();
  session.run(tf.global_variables_initializer());
  expect(() => session.run(cost)).toThrow(
    '[Session.run] placeholder "Placeholder" float32 [3, 1] was not fed: name it in feed_dict, as in [[x, value]].',
  );
  session.run(tf.assign(w, [2]));
  const value = session.run(cost, { feed_dict: [[x, coefficients]] });
  expect([value.dtype, value.array()]).toEqual(["float32", [-11]]);
});

test("S-429 session and initializer", () => {
  const { w, x, cost } = polynomial();
  const train = new tf.train.GradientDescentOptimizer(0.01).minimize(cost);
  const init = tf.global_variables_initializer();
  const session = new tf.Session();
  expect(() => session.run(w)).toThrow(
    '[Session.run] variable "Variable" has no value in this session: run global_variables_initializer() here first, made after the variable.',
  );
  session.run(init);
  expect(session.run(w).array()).toEqual([0]);
  session.run(train, { feed_dict: [[x, coefficients]] });
  expect(session.run(w).at(0).item()).toBeCloseTo(0.2, 6);
  const second = new tf.Session();
  expect(() => second.run(w)).toThrow("has no value in this session");
  second.run(init);
  expect(second.run(w).array()).toEqual([0]);
  expect(session.run(w).at(0).item()).toBeCloseTo(0.2, 6);
  session.run(init);
  expect(session.run(w).array()).toEqual([0]);
});

describe("SYS-32 the notes' script, line by line", () => {
  test("SYS-32 prints 0, then about 10", () => {
    const printed: Tensor[] = [];
    const print = (t: Tensor): void => void printed.push(t);

    const w = new tf.Variable([0], { dtype: tf.float32 });
    const x = tf.placeholder(tf.float32, [3, 1]);
    const cost = x.at(0, 0).mul(w.pow(2)).add(x.at(1, 0).mul(w)).add(x.at(2, 0)); // w² - 20 w + 25
    const train = new tf.train.GradientDescentOptimizer(0.01).minimize(cost);
    const init = tf.global_variables_initializer();
    const session = new tf.Session();
    session.run(init);
    print(session.run(w));
    for (let i = 0; i < 1000; i++) session.run(train, { feed_dict: [[x, coefficients]] });
    print(session.run(w));

    expect(printed[0].array()).toEqual([0]);
    expect(printed[1].at(0).item()).toBeCloseTo(9.99998, 5);
  });

  test("SYS-32 the with-block variant is equal, as a callback and as `using`", () => {
    const { w, x, cost } = polynomial();
    const train = new tf.train.GradientDescentOptimizer(0.01).minimize(cost);
    const init = tf.global_variables_initializer();
    const train1000 = (session: tf.Session): number => {
      session.run(init);
      for (let i = 0; i < 1000; i++) session.run(train, { feed_dict: new Map([[x, coefficients]]) });
      return session.run(w).at(0).item();
    };
    const called = tf.withSession(train1000);
    let used = 0;
    {
      using session = new tf.Session();
      used = train1000(session);
    }
    expect(called).toBeCloseTo(9.99998, 5);
    expect(used).toBe(called);
  });

  test("SYS-32 logistic regression trains through placeholders", () => {
    random.seed(7);
    np.random.seed(7);
    const [n, m] = [8, 200];
    const truth = np.random.randn(n, 1);
    const X = np.random.randn(n, m);
    const Y = np.dot(truth.T, X).greater(0).cast("float64");
    const x = tf.placeholder(tf.float32, [n, null], "x");
    const y = tf.placeholder(tf.float32, [1, null], "y");
    const w = new tf.Variable(tf.zeros([n, 1]), { name: "w" });
    const b = new tf.Variable(0, { name: "b" });
    const z = tf.add(tf.matmul(w.T, x), b);
    const cost = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits({ labels: y, logits: z }));
    const correct = tf.equal(tf.cast(tf.greater(z, 0), tf.float32), y);
    const accuracy = tf.reduce_mean(tf.cast(correct, tf.float32));
    const train = new tf.train.GradientDescentOptimizer(0.5).minimize(cost);
    const feed_dict: [tf.Placeholder, Tensor][] = [
      [x, X],
      [y, Y],
    ];
    tf.withSession((session) => {
      session.run(tf.global_variables_initializer());
      const first = session.run(cost, { feed_dict }).item();
      expect(first).toBeCloseTo(Math.LN2, 6);
      let last = first;
      for (let i = 0; i < 300; i++) {
        const [, loss] = session.run([train, cost], { feed_dict });
        expect(loss.item()).toBeLessThanOrEqual(last + 1e-6);
        last = loss.item();
      }
      expect(last).toBeLessThan(0.15);
      expect(session.run(accuracy, { feed_dict }).item()).toBeGreaterThan(0.97);
      // Another number of examples through the same graph.
      const few: [tf.Placeholder, Tensor][] = [
        [x, X.slice(null, [0, 10])],
        [y, Y.slice(null, [0, 10])],
      ];
      expect(session.run(z, { feed_dict: few }).shape).toEqual([1, 10]);
    });
  });
});

describe("graph", () => {
  test("several fetches share what they stand on, variables keep their dtype, initial values may be random", () => {
    random.seed(1);
    const w = new tf.Variable(tf.random_normal([2, 3]), { name: "w" });
    const noise = tf.random_normal([4]);
    const session = new tf.Session();
    session.run(tf.global_variables_initializer());
    const [a, c] = session.run([noise, noise.mul(2)]);
    expect(c.sub(a.mul(2)).abs().max().item()).toBe(0);
    expect(session.run(noise).equal(a).all().item()).toBe(0);
    expect(session.run(w).equal(session.run(w)).all().item()).toBe(1);
    session.run(tf.assign(w, 1));
    expect(session.run(tf.reduce_sum(w)).item()).toBe(6);
    expect(session.run(tf.argmax(tf.constant([[1, 3, 2]]), 1)).array()).toEqual([1]);
  });

  test.each([
    [
      (s: tf.Session) => {
        const p = tf.placeholder(tf.float32, [null, 2], "p");
        return s.run(p, { feed_dict: [[p, [1, 2]]] });
      },
      '[Session.run] placeholder "p" float32 [None, 2] was fed a value of shape [2].',
    ],
    [(s: tf.Session) => (s.close(), s.run(tf.constant(1))), "[Session.run] the session is closed: make a new one."],
    [
      () => new tf.train.GradientDescentOptimizer(0),
      "[GradientDescentOptimizer] the learning rate must be > 0, got 0.",
    ],
    [
      () => new tf.train.GradientDescentOptimizer(1).minimize(tf.constant(1)),
      "[minimize] the loss stands on no trainable variable.",
    ],
    [
      (s: tf.Session) => s.run({} as never),
      "[Session.run] fetches tensors and operations of the graph, or a list of them.",
    ],
  ])("mistake %#", (f, message) => {
    expect(() => f(new tf.Session())).toThrow(message);
  });
});

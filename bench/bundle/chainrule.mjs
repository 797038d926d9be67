// The program whose bundle is weighed: an MLP 784-128-10 and its training step by SGD.
import { tensor } from "chainrule";
import { dense, relu, sequential } from "chainrule/nn";
import { sgd } from "chainrule/optim";

const model = sequential([dense(128), relu, dense(10)], { inputShape: [784] });
model.compile({ optimizer: sgd(0.1), loss: "sparseCategoricalCrossentropy" });
globalThis.train = (x, y) => model.trainOnBatch(tensor(x, { shape: [128, 784] }), tensor(y));

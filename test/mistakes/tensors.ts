import type { Chapter } from "./row.ts";

export const tensors: Chapter = {
  title: "Tensors and shapes",
  mistakes: [
    {
      mistake: "Adding tensors whose shapes do not broadcast",
      code: `add(ones([2, 3]), ones([4]));`,
      message:
        "[add] cannot broadcast [2, 3] with [4]: axis -1 is 3 against 4; aligned from the right, each pair must be equal or one of them 1.",
    },
    {
      mistake: "A vector meant as a column",
      code: `mul(ones([3, 4]), ones([3]));`,
      message:
        "[mul] cannot broadcast [3, 4] with [3]: axis -1 is 4 against 3; aligned from the right, each pair must be equal or one of them 1. Did you mean .reshape([3, 1])?",
    },
    {
      mistake: "Matrix product with inner sizes that differ",
      code: `matmul(ones([2, 3]), ones([5, 4]));`,
      message:
        "[matmul] cannot multiply [2, 3] by [5, 4]: the last axis of the first (3) must equal the second-last axis of the second (5).",
    },
    {
      mistake: "Matrix product of a scalar",
      code: `matmul(tensor(2), ones([3]));`,
      message: "[matmul] takes vectors and matrices, got [] and [3]: use mul() for a scalar.",
    },
    {
      mistake: "A shape as numbers",
      code: `zeros(3, 4);`,
      message: "[full] a shape is a list such as [2, 3], got 3.",
    },
    {
      mistake: "A list of tensors as a tensor",
      code: `tensor([tensor([1, 2]), tensor([3, 4])]);`,
      message: "[tensor] a tensor [2] among the elements: stack() joins tensors.",
    },
    {
      mistake: "Reshaping to another number of elements",
      code: `ones([2, 3]).reshape([4, 2]);`,
      message: "[reshape] cannot reshape [2, 3] (6 elements) to [4, 2]: the element counts differ.",
    },
    {
      mistake: "Two unknown sizes in a reshape",
      code: `ones([2, 3]).reshape([-1, -1]);`,
      message: "[reshape] [-1, -1]: only one size may be -1.",
    },
    {
      mistake: "An axis beyond the rank",
      code: `sum(ones([2, 3]), 2);`,
      message: "[sum] axis 2 is out of range for a tensor of rank 2: use -2..1.",
    },
    {
      mistake: "A negative axis beyond the rank",
      code: `ones([2, 3]).mean(-3);`,
      message: "[mean] axis -3 is out of range for a tensor of rank 2: use -2..1.",
    },
    {
      mistake: "The same axis twice",
      code: `sum(ones([2, 3]), [0, -2]);`,
      message: "[sum] axis 0 is named twice in [0,-2].",
    },
    {
      mistake: "Concatenating shapes that differ beside the axis",
      code: `concat([ones([2, 3]), ones([2, 4])], 0);`,
      message: "[concat] along axis 0 all other axes must agree: tensor 0 is [2, 3], tensor 1 is [2, 4].",
    },
    {
      mistake: "Concatenating nothing",
      code: `concat([], 0);`,
      message: "[concat] needs an array of at least one tensor.",
    },
    {
      mistake: "Stacking shapes that differ",
      code: `stack([ones([2]), ones([3])]);`,
      message: "[stack] all shapes must be equal: tensor 0 is [2], tensor 1 is [3].",
    },
    {
      mistake: "Splitting an axis into parts that do not come out even",
      code: `split(ones([10, 2]), 3);`,
      message: "[split] axis 0 of [10, 2] has size 10, which 3 equal parts do not divide: give the sizes instead.",
    },
    {
      mistake: "einsum with an operand missing",
      code: `einsum("ij,jk->ik", ones([2, 3]));`,
      message: '[einsum] "ij,jk->ik" names 2 operands, got 1.',
    },
    {
      mistake: "einsum with a subscript of two sizes",
      code: `einsum("ij,jk->ik", ones([2, 3]), ones([4, 5]));`,
      message: '[einsum] "ij,jk->ik": index "j" is 3 in operand 0 [2, 3] and 4 in operand 1 [4, 5].',
    },
    {
      mistake: "einsum with a result letter that no operand has",
      code: `einsum("ij->ik", ones([2, 3]));`,
      message: '[einsum] "ij->ik": the output index "k" is in no operand.',
    },
    {
      mistake: "transpose with an axis missing",
      code: `transpose(ones([2, 3, 4]), [0, 1]);`,
      message: "[transpose] [0, 1] names 2 axes, [2, 3, 4] has 3: name each axis once.",
    },
    {
      mistake: "Rows of different length",
      code: `tensor([[1, 2], [3]]);`,
      message: "[tensor] ragged nested arrays: depth 1 has rows of 2 and a row of 1; all rows need one length.",
    },
    {
      mistake: "Data that does not fill its shape",
      code: `tensor(new Float32Array(5), { shape: [2, 3] });`,
      message: "[tensor] cannot reshape [5] (5 elements) to [2, 3]: the element counts differ.",
    },
    {
      mistake: "A string among the numbers",
      code: `tensor([1, "2", 3]);`,
      message: "[tensor] element 2 of type string: nested arrays hold numbers or booleans only.",
    },
    {
      mistake: "A negative size",
      code: `zeros([2, -3]);`,
      message: "[full] [2, -3] is not a shape: every size must be a whole number ≥ 0.",
    },
    {
      mistake: "Gathering with fractional indices",
      code: `gather(ones([4, 2]), tensor([0.5]));`,
      message: '[gather] indices must be int32, got float32 [1]: use .cast("int32").',
    },
    {
      mistake: "Convolving without an axis of channels",
      code: `conv(ones([1, 28, 28]), ones([3, 3, 1, 8]));`,
      message: "[conv] x [1, 28, 28] has 1 spatial axes, so w must be [k, in, out], got [3, 3, 1, 8].",
    },
    {
      mistake: "Convolving with another number of channels",
      code: `conv(ones([1, 28, 28, 3]), ones([3, 3, 1, 8]));`,
      message: "[conv] x [1, 28, 28, 3] has 3 channels, w [3, 3, 1, 8] expects 1.",
    },
    {
      mistake: "item() of more than one element",
      code: `ones([2]).item();`,
      message: "[item] needs a tensor of one element, got [2]: index with at() or reduce it first.",
    },
    {
      mistake: "Reading a value inside compiled",
      code: `compiled((x) => (x.item() > 0 ? x : x.neg()))(tensor(1));`,
      message:
        "A tensor's value was asked for inside compiled(): there only shapes are known. Return the tensor and read it outside, or use where() instead of an if on its value.",
    },
    {
      mistake: "Keeping a tensor that was made inside compiled",
      code: `let kept;
compiled((x) => { kept = x.mul(2); return x; })(tensor(1));
kept.dataSync();`,
      message:
        "This tensor was made inside a compiled function or a gradient and has no value outside: return it from the function (hasAux in valueAndGrad).",
    },
    {
      mistake: "The gradient of something that is not a single number",
      code: `grad((x) => x.mul(2))(ones([3]));`,
      message:
        "[grad] the loss must be a scalar, got float32 [3]: reduce it with .mean() or .sum(), or use jacobian().",
    },
    {
      mistake: "The gradient with respect to whole numbers",
      code: `grad((x) => sum(x))(tensor(new Int32Array([1, 2])));`,
      message:
        "[grad] argument 0 is int32 [2]: derivatives need float32 or float64. Cast it, or name other arguments with argnums.",
    },
    {
      mistake: "Assigning another shape to a variable",
      code: `variable(zeros([2, 3]), { name: "w" }).assign(zeros([3, 2]));`,
      message:
        '[assign] variable "w" is float32 [2, 3], got float32 [3, 2]: a variable keeps its shape and dtype; reshape or cast the new value.',
    },
    {
      mistake: "Using a tensor after dispose()",
      code: `const x = ones([2]);
x.dispose();
x.add(1);`,
      message: "A float32 tensor [2] is used after dispose(): drop the dispose (it is never needed) or use a copy.",
    },
    {
      mistake: "Reading a variable inside compiled",
      code: `const w = variable(1, { name: "w" });
compiled((x) => x.mul(w.item()))(tensor(2));`,
      message:
        'The value of variable "w" was asked for inside compiled(): it would stay what it is now in every later run. Use the variable itself, or read it outside.',
    },
    {
      mistake: "A step of 0 in a slice",
      code: `slice(ones([4]), [0, 4, 0]);`,
      message: "[slice] axis 0: the step must not be 0.",
    },
    {
      mistake: "An index beyond the axis",
      code: `slice(ones([4, 2]), 4);`,
      message: "[slice] index 4 is outside axis 0 of [4, 2]: use -4..3.",
    },
    {
      mistake: "Padding with a negative width",
      code: `pad(ones([2, 2]), -1);`,
      message: "[pad] [2, 2] needs 2 pairs of sizes ≥ 0, got [[-1,-1],[-1,-1]].",
    },
  ],
};

import { isOp, type Node, PRIMITIVES, topoOrder } from "../../src/ir/index.ts";

/** A graph as the builder calls that make it: what a failing random graph becomes a test from. */
export function graphCode(outputs: readonly Node[], prefix = "n"): string {
  const names = new Map<Node, string>();
  const lines = topoOrder(outputs).map((n, i) => {
    names.set(n, `${prefix}${i}`);
    return `const ${prefix}${i} = ${call(n, (s) => names.get(s) as string, prefix + i)};`;
  });
  return [...lines, `return [${outputs.map((o) => names.get(o)).join(", ")}];`].join("\n");
}

const json = JSON.stringify;

function call(n: Node, name: (n: Node) => string, prefix: string): string {
  const [x, y, z] = n.srcs.map(name);
  if (isOp(n, "const")) return `b.scalar(${n.attrs.value}, "${n.dtype}")`;
  if (isOp(n, "leaf")) return `b.leaf(${json(n.shape)}, "${n.dtype}")`;
  if (isOp(n, "iota")) return `b.iota(${json(n.shape)}, ${n.attrs.axis}, "${n.dtype}")`;
  if (isOp(n, "randomBits")) return `b.randomBits(${x}, ${json(n.shape)}, ${n.attrs.stream})`;
  if (isOp(n, "cast")) return `b.cast(${x}, "${n.dtype}")`;
  if (isOp(n, "where")) return `b.where(${x}, ${y}, ${z})`;
  if (isOp(n, "sum") || isOp(n, "prod") || isOp(n, "max") || isOp(n, "min"))
    return `b.reduce("${n.op}", ${x}, ${json(n.attrs.axes)})`;
  if (isOp(n, "argmax") || isOp(n, "argmin")) return `b.argReduce("${n.op}", ${x}, ${n.attrs.axis})`;
  if (isOp(n, "cumsum")) return `b.cumsum(${x}, ${n.attrs.axis}, ${n.attrs.reverse})`;
  if (isOp(n, "reshape") || isOp(n, "expand")) return `b.${n.op}(${x}, ${json(n.shape)})`;
  if (isOp(n, "permute")) return `b.permute(${x}, ${json(n.attrs.perm)})`;
  if (isOp(n, "pad")) return `b.pad(${x}, ${json(n.attrs.padding)}, ${n.attrs.value})`;
  if (isOp(n, "slice")) return `b.slice(${x}, ${json(n.attrs.start)}, ${json(n.attrs.stop)}, ${json(n.attrs.step)})`;
  if (isOp(n, "flip")) return `b.flip(${x}, ${json(n.attrs.axes)})`;
  if (isOp(n, "concat")) return `b.concat([${n.srcs.map(name).join(", ")}], ${n.attrs.axis})`;
  if (isOp(n, "dot") || isOp(n, "conv") || isOp(n, "windowPick") || isOp(n, "windowPickGrad"))
    return `b.${n.op}(${x}, ${y}, ${json(n.attrs)})`;
  if (isOp(n, "windowSum") || isOp(n, "windowMax")) return `b.windowReduce("${n.op}", ${x}, ${json(n.attrs)})`;
  if (isOp(n, "windowSumGrad")) return `b.windowSumGrad(${x}, ${json(n.attrs)})`;
  if (isOp(n, "gather")) return `b.gather(${x}, ${y}, ${n.attrs.axis})`;
  if (isOp(n, "scatterAdd")) return `b.scatterAdd(${x}, ${y}, ${z}, ${n.attrs.axis})`;
  if (isOp(n, "get")) return `b.get(${x}, ${n.attrs.index})`;
  if (isOp(n, "barrier")) return `b.barrier(${x}, [${n.srcs.slice(1).map(name).join(", ")}])`;
  if (isOp(n, "alias") || isOp(n, "stopGradient")) return `b.${n.op}(${x})`;
  if (isOp(n, "scan")) return scanCode(n, n.srcs.map(name), prefix);
  const operands = n.srcs.map(name).join(", ");
  if (n.srcs.length === 1) return `b.unary("${n.op}", ${operands})`;
  return PRIMITIVES[n.op].kind === "compare" ? `b.compare("${n.op}", ${operands})` : `b.binary("${n.op}", ${operands})`;
}

function scanCode(n: Node<"scan">, operands: readonly string[], prefix: string): string {
  const { body, length, reverse } = n.attrs;
  const inner = `${prefix}_`;
  const names = topoOrder([...body.params, ...body.outs]);
  const params = body.params.map((p) => inner + names.indexOf(p)).join(", ");
  const code = graphCode([...body.params, ...body.outs], inner)
    .split("\n")
    .slice(0, -1)
    .join(" ");
  const outs = body.outs.map((o) => inner + names.indexOf(o)).join(", ");
  return `((): Node => { ${code} return b.scan({ body: { uid: ${inner}0.id, params: [${params}], outs: [${outs}], carries: ${body.carries}, xs: ${body.xs} }, length: ${length}, reverse: ${reverse} }, [${operands.join(", ")}], scanRule); })()`;
}

// The README's table: the figures that say most, under names that need no key.
import { titleOf } from "./peers.mjs";
import { rivalries } from "./summary.mjs";
import { markdown, short } from "./table.mjs";

const names = {
  "W1 matmul 64": "matmul 64³",
  "W1 matmul 256": "matmul 256³",
  "W1 matmul 1024": "matmul 1024³",
  "conv 16² 32→32 forward": "convolution 3×3, 16² 32→32, batch 32, forward",
  "conv 16² 32→32 dX": "its gradient by the image",
  "conv 16² 32→32 dW": "its gradient by the kernel",
  "W2 step": "MLP 784-256-128-10, batch 128, Adam",
  "W3 step": "LeNet-5, batch 64, Adam",
  "W4 step": "ResNet-20, batch 32, momentum",
  "W5 VGG-16": "VGG-16 forward, one picture of 224²",
  "W5 ResNet-50": "ResNet-50 forward, one picture of 224²",
  "W6 step": "LSTM, hidden 256, 64 steps, batch 32, Adam",
  "W7 step": "GPT 4×128, 4 heads, 8×128 tokens, AdamW",
  "W8 step": "skip-gram 10k×100, 5 negatives, batch 1024, SGD",
  "W9 add": "add, 10⁷ elements",
  "W9 gelu": "gelu, 10⁷ elements",
  "W9 softmax": "softmax, 4096×1024",
  "W9 layer norm": "layer norm, 4096×1024",
  "W9 sum": "sum, 10⁷ elements",
  "W10 start of W2": "process start to the MLP's first finished step",
};
const begin = "<!-- figures: begin -->";
const end = "<!-- figures: end -->";

const time = (cell) => (cell?.ms === undefined ? "–" : short(cell.ms));
const ratio = (rival) => (rival?.ratio === undefined ? "" : `${short(rival.ratio)}×`);

/** The README with its part between the marks written anew. */
export function withFigures(text, { run, figures, standard }) {
  const groups = Object.keys(rivalries);
  const shown = figures.filter((f) => names[`${f.workload} ${f.metric}`] !== undefined && f.ours?.ms !== undefined);
  const head = ["", "Chainrule", ...groups.flatMap((group) => [rivalries[group].title, "ratio"])];
  const rows = shown.map((f) => [
    names[`${f.workload} ${f.metric}`],
    time(f.ours),
    ...groups.flatMap((group) => {
      const rival = f.rivals[group];
      if (rival === undefined) return ["–", ""];
      return [
        group === "torch" ? time(f.cells[rival.id]) : `${time(f.cells[rival.id])} (${titleOf(rival)})`,
        ratio(rival),
      ];
    }),
  ]);
  const slower = shown.flatMap((f) =>
    groups
      .filter((group) => f.rivals[group]?.ratio < 1)
      .map((group) => `${names[`${f.workload} ${f.metric}`]} (${titleOf(f.rivals[group])}, ${ratio(f.rivals[group])})`),
  );
  const { rounds } = run.options;
  const most = rounds + (run.again ?? []).reduce((sum, more) => sum + more.rounds, 0);
  const intro =
    `Run of ${run.date.slice(0, 10)}: ${run.machine.processor}, ${run.machine.cores} cores, Node ${run.node.slice(1)}, ` +
    `${most === rounds ? rounds : `${rounds} to ${most}`} round${most === 1 ? "" : "s"} of each: milliseconds. Ours is ${titleOf(standard)}; each group of peers is represented by its ` +
    "fastest member and number of threads. A ratio is the peer's time over ours: above 1 Chainrule is faster, below 1 slower.";
  const last = slower.length === 0 ? "Slower than none of them." : `Slower than a peer: ${slower.join("; ")}.`;
  const part = [begin, ...wrap(intro), "", markdown([head, ...rows]), "", ...wrap(last), end].join("\n");
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < 0) throw new Error(`the README has no ${begin} … ${end}`);
  return text.slice(0, before) + part + text.slice(after + end.length);
}

/** Lines of at most 128 characters. */
function wrap(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (longer.length <= 128) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

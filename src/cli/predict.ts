import { tensor } from "../index.ts";
import { decodePng, readFileBytes } from "../io/index.ts";
import { loadModel } from "../train/index.ts";
import { drawImage, formatBar } from "../viz/index.ts";
import { describeOptions, readArgs, UsageError } from "./args.ts";
import { argmax, prepareDigit, toProbabilities } from "./digits.ts";
import type { Terminal } from "./terminal.ts";

const OPTIONS = {
  json: { default: false, help: "print one line of JSON an image instead of drawings" },
} as const;

export const predictHelp = (): string => `Usage: chainrule predict <model.safetensors> <image.png> ... [options]

Reads digits from PNG files with a model that \`chainrule start\` saved. Dark ink on light paper is inverted; an image of
another size is cropped to its ink, scaled and centred as the MNIST digits are.

${describeOptions(OPTIONS)}
`;

/** `chainrule predict <model> <image.png>…` */
export async function predict(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, words } = readArgs("predict", argv, OPTIONS);
  const [path, ...images] = words;
  if (path === undefined || images.length === 0) {
    throw new UsageError(
      `predict: needs a model and at least one image, as in: chainrule predict runs/mnist/lenet5.safetensors seven.png`,
    );
  }
  const model = await loadModel(path);
  const shape = model.inputShapes?.[0];
  const size = shape?.[1] ?? 0;
  if (shape?.length !== 4 || size !== shape[2] || shape[3] !== 1) {
    throw new UsageError(
      `predict: "${path}" takes inputs [${String(shape)}]; grey square images [n, size, size, 1] were expected`,
    );
  }
  let failed = 0;
  for (const file of images) {
    try {
      const image = await decodePng(await readFileBytes(file), file);
      const { picture, inverted, resized } = prepareDigit(image, size);
      const x = tensor(Float32Array.from(picture.data), { shape: [1, size, size, 1] });
      const output = await model.predict(x);
      const p = toProbabilities(output.dataSync());
      const notes = [
        resized ? `cropped and scaled from ${image.width} × ${image.height}` : "",
        inverted ? "inverted" : "",
      ];
      if (values.json) terminal.write(`${JSON.stringify({ file, digit: argmax(p), probabilities: p })}\n`);
      else terminal.write(show(file, drawImage(picture, terminal), p, notes.filter((n) => n !== "").join(", ")));
    } catch (error) {
      failed++;
      terminal.error(`chainrule predict: ${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return failed === 0 ? 0 : 1;
}

/** The drawing with the probabilities beside it, most likely digit marked. */
function show(file: string, drawing: readonly string[], p: readonly number[], notes: string): string {
  const best = argmax(p);
  const right = [
    `${file}${notes === "" ? "" : ` (${notes})`}`,
    "",
    `digit ${best}, probability ${(100 * p[best]).toFixed(1)}%`,
    "",
    ...p.map((v, i) => `${i === best ? "→" : " "} ${i} ${formatBar(v, 20)} ${(100 * v).toFixed(1).padStart(5)}%`),
  ];
  const lines = Array.from({ length: Math.max(drawing.length, right.length) }, (_, i) => {
    const left = drawing[i] ?? " ".repeat(28);
    return `${left}  ${right[i] ?? ""}`.trimEnd();
  });
  return `${lines.join("\n")}\n\n`;
}

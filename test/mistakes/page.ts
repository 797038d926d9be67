import { files } from "./files.ts";
import { layers } from "./layers.ts";
import type { Chapter } from "./row.ts";
import { tensors } from "./tensors.ts";
import { training } from "./training.ts";

/** All mistakes, in the order of the page. */
export const chapters: readonly Chapter[] = [tensors, layers, training, files];

const escape = (text: string): string => text.replace(/\|/g, "\\|").replace(/</g, "&lt;").replace(/\n/g, " ");

/** A cell cannot hold a fence: each line becomes inline code. */
const code = (text: string): string =>
  text
    .split("\n")
    .map((line) => `\`${line.replace(/\|/g, "\\|")}\``)
    .join("<br>");

/** docs/mistakes.md. */
export function renderPage(): string {
  const count = chapters.reduce((n, c) => n + c.mistakes.length, 0);
  const parts = chapters.map(({ title, mistakes }) => {
    const rows = mistakes.map((m) => `| ${escape(m.mistake)} | ${code(m.code)} | ${escape(m.message)} |`);
    return `## ${title}\n\n| Mistake | Code | Message |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
  });
  return `# What a mistake says

<!-- Generated from test/mistakes: change it there, then run \`npx vitest run test/mistakes -u\`. -->

${count} mistakes that a newcomer makes, the code that makes them, and the message each one gets. Every row is run by
\`npm test\`, and every message is compared in full. Helpers used in the code: \`xs(n, shape)\` gives n samples,
\`labels(n, classes)\` gives class numbers, \`host(shape)\` gives an array on the host, \`classifier()\` gives a compiled model
of pairs of numbers into three classes, \`nn\` is \`chainrule/nn\`.

${parts.join("\n")}`;
}

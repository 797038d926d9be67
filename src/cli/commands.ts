import { UsageError } from "./args.ts";
import { doctor, doctorHelp } from "./doctor.ts";
import { predict, predictHelp } from "./predict.ts";
import { profile, profileHelp } from "./profile.ts";
import { start, startHelp } from "./start.ts";
import type { Terminal } from "./terminal.ts";
import { closest } from "./args.ts";

interface Command {
  readonly run: (argv: readonly string[], terminal: Terminal) => Promise<number>;
  readonly summary: string;
  readonly help: () => string;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  start: { run: start, summary: "train LeNet-5 on MNIST, test it, save it", help: startHelp },
  predict: { run: predict, summary: "read digits from PNG files with a saved model", help: predictHelp },
  profile: { run: profile, summary: "run a script and show where its time goes, kernel by kernel", help: profileHelp },
  doctor: { run: doctor, summary: "show what this machine offers and what is installed", help: doctorHelp },
};

/** The general help. */
function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, c]) => `  ${name.padEnd(9)} ${c.summary}`);
  return `Usage: chainrule <command> [options]

${rows.join("\n")}
  help      show this, or the help of one command: chainrule help start

Deep learning in TypeScript. Every command takes --help.
`;
}

/** Runs a command line; resolves to the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "help", ...rest] = argv;
  if (["help", "--help", "-h"].includes(name)) {
    const about = rest[0] === undefined ? undefined : COMMANDS[rest[0]];
    if (rest[0] !== undefined && about === undefined) return unknown(rest[0], terminal);
    terminal.write(about?.help() ?? overview());
    return 0;
  }
  const command = COMMANDS[name];
  if (command === undefined) return unknown(name, terminal);
  const end = rest.indexOf("--");
  if ((end < 0 ? rest : rest.slice(0, end)).some((a) => a === "--help" || a === "-h")) {
    terminal.write(command.help());
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.error(`chainrule ${error.message}\nSee: chainrule help ${name}\n`);
      return 2;
    }
    terminal.error(`chainrule ${name}: ${messageOf(error)}\n`);
    return 1;
  }
}

function unknown(name: string, terminal: Terminal): number {
  const near = closest(name, [...Object.keys(COMMANDS), "help"]);
  terminal.error(
    `chainrule: there is no command "${name}"${near === null ? "" : `; did you mean ${near}?`}\n\n${overview()}`,
  );
  return 2;
}

/** Our own errors say all in their message; anything else is a fault of ours, and its stack is wanted. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "name" in error && /^(Chainrule|Shape|DType|Value|Format|Trace)Error$/.test(error.name)
    ? error.message
    : (error.stack ?? error.message);
}

/** Figures beside the goals of the catalogue: what every example ends with. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { formatTable } from "chainrule/viz";

export interface Goal {
  readonly what: string;
  readonly value: number;
  /** "≥" or "≤" the goal. */
  readonly is: "≥" | "≤";
  readonly goal: number;
  /** Digits after the point. Default 3. */
  readonly digits?: number;
}

/** Prints the table; the process ends with 1 when a goal is not reached. */
export function showGoals(system: string, goals: readonly Goal[]): void {
  const rows = goals.map(({ what, value, is, goal, digits = 3 }) => {
    const met = is === "≥" ? value >= goal : value <= goal;
    if (!met) process.exitCode = 1;
    return [what, value.toFixed(digits), `${is} ${goal}`, met ? "reached" : "NOT REACHED"];
  });
  console.log(`\n${system}`);
  console.log(
    formatTable([["", "found", "goal", ""], ...rows], { header: true, align: ["left", "right", "right", "left"] }),
  );
}

/** The folder for an example's pictures, made when it is missing. */
export function outputFolder(name: string): string {
  const folder = path.join("runs", name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

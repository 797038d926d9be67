import type { Dataset } from "../../src/data/index.ts";

export default function make(n: number): Dataset;

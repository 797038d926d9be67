// All gates by name, in the order in which they run. They use installed packages: import this after the install.
import { docstrings } from "./docstrings.mjs";
import { exportsUsed } from "./exports.mjs";
import { files } from "./files.mjs";
import { format } from "./format.mjs";
import { imports } from "./imports.mjs";
import { lint } from "./lint.mjs";
import { packaging } from "./packaging.mjs";
import { size } from "./size.mjs";
import { types } from "./types.mjs";

/** @type {Record<string, import("../check.mjs").Gate>} */
export const gates = {
  types,
  lint,
  format,
  imports,
  files,
  docstrings,
  exports: exportsUsed,
  package: packaging,
  size,
};

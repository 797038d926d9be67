#!/usr/bin/env node
/**
 * cli: the commands of `chainrule`: start (the main job), predict, profile, doctor, help.
 *
 * It is not: a library. Each command joins public parts of the other rooms and writes to a terminal that it is given, so
 * that tests can read what a person would see.
 */
import { main } from "./commands.ts";
import { processTerminal } from "./terminal.ts";

void main(process.argv.slice(2), processTerminal()).then((code) => (process.exitCode = code));

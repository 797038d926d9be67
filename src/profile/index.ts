/**
 * profile: where time goes. Runs a function, notes every kernel by the clock, measures what the machine can do at most, and
 * reports: a table for people, plain data for programs, a timeline for chrome://tracing.
 *
 * It is not: a benchmark (it says where time goes, not who is faster) and not in the way (nothing is noted unless asked).
 */
export { profile, startProfile, type ProfileOptions, type Profiler, type StartProfileOptions } from "./profile.ts";
export { ceilings, type Ceilings } from "./ceilings.ts";
export { type KernelProfile, type ProfileReport, type ProgramProfile, type StepProfile } from "./report.ts";
export type { ReportOptions } from "./text.ts";

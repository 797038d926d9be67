/** Where this package lies: frames in it are ours, not the user's. (Bundlers would inline what `new URL` names.) */
const HERE: string = import.meta.url.replace("file://", "").replace(/[^/]*\/[^/]*$/, "");

/** The innermost line of the call stack that is not ours. */
export function callerLine(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 60;
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = limit;
  const theirs = frames.find((f) => /:\d+:\d+/.test(f) && !f.includes(HERE) && !f.includes("node:internal"));
  return (theirs ?? frames[frames.length - 1] ?? "unknown line").trim();
}

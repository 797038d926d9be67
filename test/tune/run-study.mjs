// A search in a process of its own, to be killed: node run-study.mjs <source of tune> <store> <study>
const [source, store, study] = process.argv.slice(2);
const { intUniform, logUniform, search } = await import(source);
await search({
  space: { lr: logUniform(1e-4, 1), units: intUniform(8, 64) },
  objective: new URL("./objective.mjs", import.meta.url),
  trials: 12,
  seed: 7,
  workers: 2,
  store,
  study,
});

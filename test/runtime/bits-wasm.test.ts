// The suite of bits.ts on WebAssembly.
process.env["CHAINRULE_DEVICE"] = "wasm";
await import("./bits.ts");

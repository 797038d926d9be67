// What a worker runs, as text: it needs no file of ours, wherever we were bundled to.
import { POOL, THREAD } from "../base/records.ts";

/** A worker that was started. */
export interface Started {
  post(message: unknown): void;
  stop(): void;
}

/** The first message to a worker. */
export interface Hello {
  readonly memory: WebAssembly.Memory;
  readonly walk: WebAssembly.Module;
  /** Address of the pool, and number of the thread. */
  readonly pool: number;
  readonly thread: number;
  /** Letters that others got before, and those of them that are still of use. */
  readonly mail: number;
  readonly letters: readonly Letter[];
  readonly serial: number;
  /** Time of the main thread's clock zero. */
  readonly origin: number;
}

/** Later messages: new functions and their places in the table. Anything else wakes. */
export interface Letter {
  readonly module: WebAssembly.Module;
  readonly names: readonly string[];
  readonly fns: readonly number[];
  readonly serial: number;
}

/** Naps of half a second after which a worker goes back to its event loop. */
const NAPS = 1;

/** The script; `listen(f)`, which hands messages to f, stands before it. */
export const workerScript: string = `
let hello, words, table, host, serve, mail;
const at = (offset) => (hello.pool + ${POOL.threads} + hello.thread * ${POOL.threadBytes} + offset) >> 2;
const shared = (offset) => (hello.pool + offset) >> 2;
const instance = (module) => new WebAssembly.Instance(module, { host }).exports;
const begin = (first) => {
  hello = first;
  mail = first.mail;
  words = new Int32Array(first.memory.buffer);
  table = new WebAssembly.Table({ element: "anyfunc", initial: 64 });
  const now = () => performance.now() + performance.timeOrigin - first.origin;
  host = { memory: first.memory, table, now };
  for (const name of Object.getOwnPropertyNames(Math)) host[name] = Math[name];
  ({ serve } = instance(first.walk));
  first.letters.forEach(add);
  Atomics.store(words, at(${THREAD.ready}), first.serial);
};
const add = ({ module, names, fns, serial }) => {
  const code = instance(module);
  names.forEach((name, i) => {
    if (fns[i] >= table.length) table.grow(Math.max(table.length, fns[i] + 1 - table.length));
    table.set(fns[i], code[name]);
  });
  Atomics.store(words, at(${THREAD.ready}), serial);
};
const failed = (error) => {
  const reason = String(error).slice(0, ${THREAD.reasonUnits});
  const units = new Uint16Array(hello.memory.buffer, (at(${THREAD.reason}) << 2) + 4, ${THREAD.reasonUnits});
  for (let i = 0; i < reason.length; i++) units[i] = reason.charCodeAt(i);
  words[at(${THREAD.reason})] = reason.length;
  Atomics.store(words, shared(${POOL.failed}), hello.thread + 1);
  Atomics.store(words, at(${THREAD.busy}), 0);
  Atomics.add(words, shared(${POOL.bell}), 1);
  Atomics.notify(words, shared(${POOL.bell}));
};
const work = () => {
  Atomics.store(words, at(${THREAD.parked}), 0);
  for (;;) {
    try {
      if (serve(hello.pool, hello.thread, mail, ${NAPS})) return;
    } catch (error) {
      failed(error);
      continue;
    }
    Atomics.store(words, at(${THREAD.parked}), 1);
    if ((Atomics.load(words, shared(${POOL.turn})) & 1) === 0) return;
    Atomics.store(words, at(${THREAD.parked}), 0);
  }
};
listen((message) => {
  if (hello === undefined) begin(message);
  else if (message.module) {
    mail++;
    add(message);
  }
  work();
});
`;

// The twin of native.node.ts: no machine code in a browser. Holds what both promise.

/** Types of arguments and results of machine code. */
export type NativeType = "ptr" | "i32" | "f32" | "f64" | "void";
export type NativeFn = (...args: number[]) => number;

/** Machine code and memory of the process. Addresses are plain numbers (below 2^47). */
export interface NativeBridge {
  /** The calling convention: that of Windows, or System V. */
  readonly windows: boolean;
  /** Threads can sleep by the system's futex. */
  readonly linux: boolean;
  /** Where the bytes of a buffer are. A wasm memory stays where it is when it grows. */
  addressOf(buffer: ArrayBufferLike): number;
  /** Fresh pages of zeros outside of wasm memory; physical memory comes with the first touch. */
  allocate(bytes: number): number;
  /** Gives back what `allocate` gave; nothing may use it or a view of it. */
  free(address: number, bytes: number): void;
  /** Asks for pages of 2 MiB where the system has them; also for what is only reserved, as the rest of a wasm memory. */
  preferHugePages(address: number, bytes: number): void;
  /** Memory as an ArrayBuffer; it does not own the memory. */
  view(address: number, bytes: number): ArrayBuffer;
  /** Copies code into pages of its own, then makes them executable; they are never writable and executable. */
  loadCode(code: Uint8Array): number;
  dropCode(address: number): void;
  /** A function of a code address (about 30 ns a call). It runs on a stack of 1 MiB, not on the thread's own. */
  fn(address: number, params: readonly NativeType[], result: NativeType): NativeFn;
  /** Address of a C function: libc and libm, on Windows ucrtbase and kernel32. */
  symbol(name: string): number;
  /** Runs `void* start(void* argument)` on a new thread, which does not keep the process alive. */
  startThread(start: number, argument: number): void;
}

/** The bridge, or why there is none. */
export type NativeAnswer = { readonly native: NativeBridge } | { readonly native?: undefined; readonly why: string };

/** A browser has WebAssembly only. */
export function openNative(): NativeAnswer {
  return { why: "a browser runs no machine code" };
}

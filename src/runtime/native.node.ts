// The bridge to machine code in Node: pages, calls, addresses and threads through koffi (an optional package with prebuilt
// binaries). Knows nothing of kernels. Nothing is done at import; a browser takes the twin.
import type { NativeAnswer, NativeBridge, NativeFn, NativeType } from "./native.browser.ts";

/** What we use of koffi. */
interface Koffi {
  load(path: string | null): Library;
  address(view: ArrayBufferView): bigint;
  view(address: bigint, bytes: number): ArrayBuffer;
  proto(result: string, params: readonly string[]): object;
  decode(address: bigint, proto: object): (...args: number[]) => number;
}
interface Library {
  symbol(name: string): bigint;
  func(name: string, result: string, params: readonly string[]): (...args: (number | ArrayBufferView)[]) => number;
}

const C_TYPES: Readonly<Record<NativeType, string>> = {
  ptr: "intptr_t",
  i32: "int32_t",
  f32: "float",
  f64: "double",
  void: "void",
};
const PAGE = 4096;
/** From here on pages of 2 MiB are worth asking for. */
const HUGE = 2 << 20;
/** koffi gives no view of more. */
const VIEW_LIMIT = 2 ** 32 - 1;

/** What the operating systems call things. Protections: read and write; read and execute. */
interface System {
  readonly libraries: readonly (string | null)[];
  /** The address, or 0. */
  map(bytes: number): number;
  unmap(address: number, bytes: number): void;
  makeExecutable(address: number, bytes: number): boolean;
  preferHugePages(address: number, bytes: number): void;
  startThread(start: number, argument: number): boolean;
}

function posix(libc: Library, linux: boolean): System {
  const mmap = libc.func("mmap", "intptr_t", ["intptr_t", "size_t", "int", "int", "int", "intptr_t"]);
  const munmap = libc.func("munmap", "int", ["intptr_t", "size_t"]);
  const mprotect = libc.func("mprotect", "int", ["intptr_t", "size_t", "int"]);
  const madvise = linux ? libc.func("madvise", "int", ["intptr_t", "size_t", "int"]) : undefined;
  const [readWrite, readExecute, privateAnonymous, noReserve, hugePage] = [3, 5, linux ? 0x22 : 0x1002, 0x4000, 14];
  return {
    libraries: linux ? [null, "libm.so.6"] : [null],
    map: (bytes) => {
      const at = mmap(0, bytes, readWrite, privateAnonymous | (linux ? noReserve : 0), -1, 0);
      return at === -1 ? 0 : at;
    },
    unmap: (address, bytes) => void munmap(address, bytes),
    makeExecutable: (address, bytes) => mprotect(address, bytes, readExecute) === 0,
    preferHugePages: (address, bytes) => void madvise?.(address, bytes, hugePage),
    startThread(start, argument) {
      const handle = new BigUint64Array(1);
      const create = libc.func("pthread_create", "int", ["void*", "intptr_t", "intptr_t", "intptr_t"]);
      if (create(handle, 0, start, argument) !== 0) return false;
      libc.func("pthread_detach", "int", ["intptr_t"])(Number(handle[0]));
      return true;
    },
  };
}

function windows(kernel: Library): System {
  const alloc = kernel.func("VirtualAlloc", "intptr_t", ["intptr_t", "size_t", "uint32_t", "uint32_t"]);
  const free = kernel.func("VirtualFree", "int", ["intptr_t", "size_t", "uint32_t"]);
  const protect = kernel.func("VirtualProtect", "int", ["intptr_t", "size_t", "uint32_t", "void*"]);
  const [commitReserve, release, readWrite, executeRead] = [0x3000, 0x8000, 0x04, 0x20];
  return {
    libraries: ["ucrtbase.dll", "kernel32.dll"],
    map: (bytes) => alloc(0, bytes, commitReserve, readWrite),
    unmap: (address) => void free(address, 0, release),
    makeExecutable: (address, bytes) => protect(address, bytes, executeRead, new Uint32Array(1)) !== 0,
    preferHugePages: () => undefined,
    startThread(start, argument) {
      const params = ["intptr_t", "size_t", "intptr_t", "intptr_t", "uint32_t", "intptr_t"];
      const handle = kernel.func("CreateThread", "intptr_t", params)(0, 0, start, argument, 0, 0);
      if (handle !== 0) kernel.func("CloseHandle", "int", ["intptr_t"])(handle);
      return handle !== 0;
    },
  };
}

class Bridge implements NativeBridge {
  readonly windows: boolean;
  readonly linux: boolean;
  private readonly koffi: Koffi;
  private readonly system: System;
  private readonly copyTo: (address: number, from: Uint8Array, bytes: number) => number;
  private readonly libraries: Library[] = [];
  private readonly protos: Map<string, object> = new Map();
  /** Bytes of code pages by address. */
  private readonly code: Map<number, number> = new Map();

  constructor(koffi: Koffi, platform: string) {
    this.koffi = koffi;
    this.windows = platform === "win32";
    this.linux = platform === "linux";
    const main = koffi.load(this.windows ? "kernel32.dll" : null);
    this.system = this.windows ? windows(main) : posix(main, platform === "linux");
    const c = this.windows ? koffi.load("ucrtbase.dll") : main;
    this.copyTo = c.func("memcpy", "intptr_t", ["intptr_t", "void*", "size_t"]);
  }

  addressOf(buffer: ArrayBufferLike): number {
    return Number(this.koffi.address(new Uint8Array(buffer)));
  }

  allocate(bytes: number): number {
    const at = this.system.map(bytes);
    if (at === 0) throw new Error(`[native] the system gives no ${(bytes / 1e6).toFixed(1)} MB of memory`);
    if (bytes >= HUGE) this.system.preferHugePages(at, bytes);
    return at;
  }
  free(address: number, bytes: number): void {
    this.system.unmap(address, bytes);
  }
  preferHugePages(address: number, bytes: number): void {
    this.system.preferHugePages(address, bytes);
  }
  view(address: number, bytes: number): ArrayBuffer {
    if (bytes > VIEW_LIMIT) throw new Error(`[native] a view of ${bytes} bytes; ${VIEW_LIMIT} is the most`);
    return this.koffi.view(BigInt(address), bytes);
  }

  loadCode(code: Uint8Array): number {
    const bytes = Math.ceil(Math.max(code.length, 1) / PAGE) * PAGE;
    const at = this.system.map(bytes);
    if (at === 0) throw new Error(`[native] the system gives no ${bytes} bytes for machine code`);
    this.copyTo(at, code, code.length);
    if (!this.system.makeExecutable(at, bytes)) {
      this.system.unmap(at, bytes);
      throw new Error("[native] the system does not let pages become executable; CHAINRULE_DEVICE=wasm does without");
    }
    this.code.set(at, bytes);
    return at;
  }
  dropCode(address: number): void {
    const bytes = this.code.get(address);
    if (bytes === undefined) throw new Error(`[native] no code begins at ${address}`);
    this.code.delete(address);
    this.system.unmap(address, bytes);
  }

  fn(address: number, params: readonly NativeType[], result: NativeType): NativeFn {
    const key = `${params.join(" ")}:${result}`;
    let proto = this.protos.get(key);
    if (proto === undefined) {
      proto = this.koffi.proto(
        C_TYPES[result],
        params.map((p) => C_TYPES[p]),
      );
      this.protos.set(key, proto);
    }
    return this.koffi.decode(BigInt(address), proto);
  }

  symbol(name: string): number {
    for (let i = 0; i < this.system.libraries.length; i++) {
      const library = (this.libraries[i] ??= this.koffi.load(this.system.libraries[i]));
      try {
        return Number(library.symbol(name));
      } catch {
        // The next library may have it.
      }
    }
    throw new Error(`[native] this system has no function "${name}"`);
  }

  startThread(start: number, argument: number): void {
    if (!this.system.startThread(start, argument)) throw new Error("[native] the system starts no further thread");
  }
}

/**
 * koffi's binary, where npm puts it and the system can load it: 2 ms. koffi itself finds it in 10 ms and adds nothing that is
 * used here.
 */
function binaryOf(node: NodeJS.Process): Koffi | undefined {
  const [fs, path] = [node.getBuiltinModule("node:fs"), node.getBuiltinModule("node:path")];
  const { platform, arch } = node;
  const file = `node_modules/@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`;
  const here = node.getBuiltinModule("node:url").fileURLToPath(import.meta.url);
  for (let at = path.dirname(here), below = here; at !== below; below = at, at = path.dirname(at)) {
    const found = path.join(at, file);
    if (!fs.existsSync(found)) continue;
    const module = { exports: {} as Koffi & { version?: string } };
    try {
      node.dlopen(module, found);
    } catch {
      return undefined; // Another C library: koffi knows the binary for it.
    }
    return module.exports.version?.startsWith("3.") ? module.exports : undefined;
  }
  return undefined;
}

/** The bridge, or why there is none. */
export function openNative(): NativeAnswer {
  const node = (globalThis as { process?: NodeJS.Process }).process;
  const modules = node?.getBuiltinModule?.("node:module");
  if (node === undefined || modules === undefined) return { why: "machine code needs Node 20.16 or later" };
  if (node.env.CHAINRULE_DEVICE === "wasm") return { why: "CHAINRULE_DEVICE=wasm" };
  if (node.arch !== "x64") return { why: `this is a process for ${node.arch}; the machine code is for x86-64` };
  if (!["linux", "darwin", "win32"].includes(node.platform)) return { why: `${node.platform} was never tried` };
  try {
    const koffi = binaryOf(node) ?? (modules.createRequire(import.meta.url)("koffi") as Koffi);
    return { native: new Bridge(koffi, node.platform) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const missing = code === "MODULE_NOT_FOUND" ? "koffi is not installed (npm install koffi)" : undefined;
    return { why: missing ?? `koffi does not work here: ${error instanceof Error ? error.message : String(error)}` };
  }
}

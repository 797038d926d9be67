// Memory beyond that of WebAssembly: machine code reaches all of the system's.
import { expect, test } from "vitest";
import { Heap } from "../../src/runtime/index.ts";
import { NativeHeap } from "../../src/runtime/native-heap.ts";
import { openNative } from "../../src/runtime/native.node.ts";

const { native } = openNative();
const MIB = 2 ** 20;

test.skipIf(native === undefined)("ranges beside wasm memory are found, written, reused and given back", () => {
  const heap = new NativeHeap(native!, 32 * MIB);
  const reserved = heap.reserved;
  const ranges = Array.from({ length: 6 }, () => heap.alloc(24 * MIB));
  expect(heap.reserved).toBeGreaterThan(reserved + 100 * MIB);
  expect(ranges.some((at) => at < 0 || at >= 2 ** 32)).toBe(true);
  for (const [i, at] of ranges.entries()) {
    expect(Math.abs(at) % 4096, "pages").toBe(0);
    heap.view(at, 24 * MIB).fill(i + 1);
  }
  for (const [i, at] of ranges.entries()) {
    const bytes = heap.view(at, 24 * MIB);
    expect([bytes[0], bytes[12 * MIB], bytes[24 * MIB - 1]]).toEqual([i + 1, i + 1, i + 1]);
  }
  // Records stay within wasm memory, where they are written word by word.
  const record = heap.alloc(8 * MIB, true);
  expect(record).toBeGreaterThan(0);
  heap.putNumber(record + 8 * MIB - 4, 77);
  expect(heap.getNumber(record + 8 * MIB - 4)).toBe(77);
  const most = heap.reserved;
  for (const at of ranges) heap.release(at);
  expect(heap.reserved).toBeLessThan(most - 100 * MIB);
  heap.release(record);
  expect(heap.used).toBe(0);
  expect(() => heap.alloc(2 ** 50)).toThrow(/Out of memory: \d+ MiB more than the \d+ MiB in use/);
});

test.skipIf(native === undefined)(
  "memory of the garbage collector is at the address that is told, in whole pages",
  () => {
    const heap = new NativeHeap(native!);
    const { at, bytes } = heap.own(3 * MIB + 5)!;
    expect([bytes.length, bytes[0], bytes[3 * MIB + 4], (at + heap.base) % 4096]).toEqual([3 * MIB + 5, 0, 0, 0]);
    bytes.fill(7);
    const seen = new Uint8Array(native!.view(heap.base + at, 3 * MIB + 5));
    expect(seen.every((x) => x === 7)).toBe(true);
    expect(heap.used, "not the heap's").toBe(0);
    expect(heap.own(2 ** 50), "more than there is").toBe(null);
    expect(new Heap().own(8), "wasm reaches its own memory only").toBe(null);
  },
);

test("without machine code, wasm memory is the limit", () => {
  const heap = new Heap();
  expect(() => heap.alloc(5 * 2 ** 30)).toThrow(/Out of memory: 5120 MiB more than the 16 MiB of WebAssembly memory/);
});

import { expect, test } from "vitest";
import { leakReport, memory, ones, type Tensor, trackMemory, zeros } from "../../src/index.ts";

test("dispose gives device memory back at once", () => {
  const before = memory().usedBytes;
  const t = zeros([256, 256]).add(1);
  expect(memory().usedBytes).toBeGreaterThanOrEqual(before + 256 * 256 * 4);
  t.dispose();
  expect(() => t.dataSync()).toThrow(/after dispose\(\)/);
});

test("values long unused leave the device and come back with their elements", () => {
  const kept = ones([64, 64]).mul(3);
  for (let i = 0; i < 600; i++) ones([20, 20]).add(i);
  expect(kept.sum().item()).toBe(3 * 64 * 64);
  expect(kept.add(1).sum().item()).toBe(4 * 64 * 64);
});

test("large values that nobody holds are freed in a loop that never pauses", () => {
  // Above 512 MB on the device new ones are the collector's, or the oldest move to the host, where only the tensor holds them.
  const most = { arrayBuffers: 0, used: 0 };
  for (let i = 0; i < 900; i++) {
    zeros([512, 512]).add(i);
    most.arrayBuffers = Math.max(most.arrayBuffers, process.memoryUsage().arrayBuffers);
    most.used = Math.max(most.used, memory().usedBytes);
  }
  expect(most.used).toBeLessThan(600 * 2 ** 20);
  expect(most.arrayBuffers).toBeLessThan(250 * 2 ** 20);
});

test("large values that are held keep their elements, also beyond what may stay on the device", () => {
  const size = 4 << 20;
  const held = Array.from({ length: 36 }, (_, i) => ones([size]).mul(i));
  expect(held.map((t) => t.sum().item())).toEqual(held.map((_, i) => size * i));
  // Read, written to and disposed like all others.
  const last = held[35];
  expect([last.at(0).item(), last.dataSync()[size - 1]]).toEqual([35, 35]);
  expect(last.add(held[0]).sub(held[34]).sum().item()).toBe(size);
  for (const t of held) t.dispose();
  expect(() => last.dataSync()).toThrow(/after dispose\(\)/);
});

test("beyond what may stay on the device, what is disposed serves the next value of its size", () => {
  const size = 4 << 20;
  const held = Array.from({ length: 34 }, (_, i) => ones([size]).mul(i));
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 30; i++) {
    const t = held[i].add(1);
    expect(t.at(size - 1).item()).toBe(i + 1);
    t.dispose();
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * size * 4);
  expect(held.map((t) => t.at(0).item())).toEqual(held.map((_, i) => i));
  for (const t of held) t.dispose();
});

test("the leak report names the line that made what is still held", () => {
  trackMemory();
  const held: Tensor[] = [];
  for (let i = 0; i < 5; i++) held.push(ones([32, 32]));
  const report = leakReport();
  trackMemory(false);
  expect(held.length).toBe(5);
  expect(report).toMatch(/memory\.test\.ts:60/);
  expect(report).toContain("float32 [32, 32]");
  expect(leakReport()).toMatch(/trackMemory\(\) first/);
});

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { DTYPES, hostArray, sizeOf } from "../../src/base/index.ts";
import {
  decodeNpy,
  decodePng,
  decodeSafetensors,
  encodeNpy,
  encodePng,
  encodeSafetensors,
  crc32,
  type HostArray,
  type NamedArrays,
} from "../../src/io/index.ts";

const arrays: fc.Arbitrary<HostArray> = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }), fc.integer())
  .map(([dtype, shape, seed]) => {
    const data = hostArray(dtype, sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = dtype === "bool" ? (seed + i) & 1 : (seed * (i + 1)) % 251;
    return { data, shape, dtype };
  });

/** Safetensors bytes with a header of one's own. */
function raw(header: unknown, data = 0, length?: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + data);
  new DataView(out.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  out.set(json, 8);
  return out;
}

const one = (over: object = {}): object => ({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...over } });

describe("safetensors", () => {
  test("round trip of any tree of arrays, aligned, in order", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((k) => k !== "__metadata__" && k !== "__proto__"),
          arrays,
        ),
        fc.dictionary(
          fc.string().filter((k) => k !== "__proto__"),
          fc.string(),
        ),
        (tree, meta) => {
          const bytes = encodeSafetensors(tree, meta);
          const back = decodeSafetensors(bytes);
          expect({ ...back.tensors }).toEqual({ ...tree });
          expect(Object.keys(back.tensors)).toEqual(Object.keys(tree));
          expect({ ...back.metadata }).toEqual({ ...meta });
        },
      ),
    );
  });

  test("bytes are those of the format", () => {
    const bytes = encodeSafetensors({ w: { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } });
    const text = new TextDecoder().decode(bytes.subarray(8, bytes.length - 8));
    expect(text.trimEnd()).toBe('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
    expect(bytes[0]).toBe(bytes.length - 16);
    expect((bytes.length - 8) % 8).toBe(0);
    expect(Array.from(bytes.subarray(-8))).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
  });

  test("a Buffer, which may be a view of a shared pool, reads the same", () => {
    const tree: NamedArrays = { w: { data: Float64Array.of(1, 2), shape: [2], dtype: "float64" } };
    expect(decodeSafetensors(Buffer.from(encodeSafetensors(tree))).tensors).toEqual(tree);
    expect(decodeNpy(Buffer.from(encodeNpy(tree.w)))).toEqual(tree.w);
  });

  test("F16 and BF16 are widened exactly", () => {
    const half = raw({ h: { dtype: "F16", shape: [6], data_offsets: [0, 12] } }, 12);
    half.set(new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x8000).buffer), half.length - 12);
    expect(Array.from(decodeSafetensors(half).tensors.h.data)).toEqual([1, -2, 65504, 2 ** -24, Infinity, -0]);
    const brain = raw({ b: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } }, 4);
    brain.set(new Uint8Array(Uint16Array.of(0x3f80, 0xc040).buffer), brain.length - 4);
    expect(Array.from(decodeSafetensors(brain).tensors.b.data)).toEqual([1, -3]);
  });

  test.each<[string, Uint8Array, string]>([
    ["empty", new Uint8Array(0), "has 0 bytes"],
    ["absurd length", raw(one(), 8, 2 ** 40), "more than the limit"],
    ["header cut", raw(one(), 8).subarray(0, 20), "is truncated: its header needs"],
    ["not JSON", raw("{nope"), "has a damaged header"],
    ["not UTF-8", Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe), "has a damaged header"],
    ["an array", raw("[]"), "is not a JSON object"],
    ["metadata of numbers", raw({ __metadata__: { a: 1 } }), "not a map of strings"],
    ["a string entry", raw({ w: "x" }), 'tensor "w" has no description'],
    [
      "unknown dtype",
      raw(one({ dtype: "F8_E4M3" }), 8),
      'tensor "w" has dtype "F8_E4M3", which is not known. Known: F32',
    ],
    ["negative size", raw(one({ shape: [-2] }), 8), "whole numbers ≥ 0"],
    ["fractional size", raw(one({ shape: [0.5] }), 8), "whole numbers ≥ 0"],
    ["bad offsets", raw(one({ data_offsets: [8, 0] }), 8), "0 ≤ begin ≤ end"],
    [
      "size against offsets",
      raw(one({ shape: [3] }), 8),
      "is F32 [3] and needs 12 bytes, but its offsets [0, 8] give it 8",
    ],
    ["gap", raw(one({ data_offsets: [4, 12] }), 12), 'gap of 4 bytes between the header and tensor "w"'],
    [
      "overlap",
      raw({ ...one(), v: { dtype: "F32", shape: [1], data_offsets: [4, 8] } }, 8),
      'tensor "v" [4, 8] overlaps tensor "w", which ends at 8',
    ],
    ["data cut", raw(one(), 5), "is truncated: its tensors need 8 bytes, the file has 5"],
    ["data left", raw(one(), 9), "has 1 bytes left over"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, "f")).toThrow(message);
    expect(() => decodeSafetensors(bytes, "f")).toThrow('[safetensors] "f"');
  });

  test("no change of one byte crashes the reader with anything but a FormatError", () => {
    const bytes = encodeSafetensors({ w: { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } }, { a: "b" });
    for (let i = 0; i < bytes.length - 8; i++) {
      for (const bit of [1, 32, 128]) {
        const changed = bytes.slice();
        changed[i] ^= bit;
        try {
          decodeSafetensors(changed);
        } catch (error) {
          expect((error as Error).name).toBe("FormatError");
        }
      }
    }
  });

  test("refuses to write an array that does not fill its shape", () => {
    const bad: NamedArrays = { w: { data: new Float32Array(2), shape: [3], dtype: "float32" } };
    expect(() => encodeSafetensors(bad)).toThrow('tensor "w" is float32 [3] but its array is a Float32Array of 2');
  });
});

describe("npy", () => {
  test("round trip", () => {
    fc.assert(
      fc.property(arrays, (a) => {
        expect(decodeNpy(encodeNpy(a))).toEqual(a);
      }),
    );
  });

  test("the header is NumPy's", () => {
    const bytes = encodeNpy({ data: Float32Array.of(1, 2), shape: [2], dtype: "float32" });
    expect(new TextDecoder().decode(bytes.subarray(10, 128)).trimEnd()).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
    );
    expect([bytes.length, bytes[127]]).toEqual([136, 10]);
  });

  /** A file with a header of one's own. */
  const npy = (text: string, data: Uint8Array): Uint8Array => {
    const out = new Uint8Array(10 + text.length + data.length);
    out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0]);
    out.set(new TextEncoder().encode(text), 10);
    out.set(data, 10 + text.length);
    return out;
  };

  test("int64 is narrowed where it fits", () => {
    const text = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n";
    const of = (...x: bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(x).buffer);
    expect(decodeNpy(npy(text, of(-3n, 7n)))).toEqual({ data: Int32Array.of(-3, 7), shape: [2], dtype: "int32" });
    expect(() => decodeNpy(npy(text, of(1n, 1n << 40n)), "f")).toThrow(
      "1099511627776 at index 1, which does not fit int32",
    );
  });

  test("what is not read says why", () => {
    expect(() => decodeNpy(new Uint8Array(20), "f")).toThrow('[npy] "f" is not an .npy file');
    expect(() => decodeNpy(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", new Uint8Array(4)))).toThrow(
      "ascontiguousarray",
    );
    expect(() => decodeNpy(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", new Uint8Array(4)))).toThrow(
      'dtype ">f4"',
    );
    expect(() => decodeNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", new Uint8Array(4)))).toThrow(
      "needs 8 bytes",
    );
    expect(() => decodeNpy(npy("{}", new Uint8Array(4)))).toThrow("not understood");
  });
});

test("crc32 of the check string, and in pieces", () => {
  const bytes = new TextEncoder().encode("123456789");
  expect(crc32(bytes)).toBe(0xcbf43926);
  for (let cut = 0; cut <= 9; cut++) expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(0xcbf43926);
});

describe("png", () => {
  test("round trip of grey, grey and alpha, RGB, RGBA", async () => {
    for (const channels of [1, 2, 3, 4]) {
      const image = {
        width: 5,
        height: 3,
        channels,
        data: Uint8Array.from({ length: 15 * channels }, (_, i) => (i * 37) % 256),
      };
      expect(await decodePng(await encodePng(image))).toEqual(image);
    }
  });

  test("16 bits and 1 bit become 0..255", async () => {
    const { encode } = await import("fast-png");
    const wide = encode({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(0xffff, 0x80ff) });
    expect((await decodePng(wide)).data).toEqual(Uint8Array.of(255, 128));
    const bits = encode({ width: 10, height: 2, channels: 1, depth: 1, data: Uint8Array.of(0xaa, 0x80, 0x55, 0x40) });
    const { data } = await decodePng(bits);
    expect(Array.from(data, (v) => v / 255).join("")).toBe("10101010100101010101");
  });

  test("a JPEG, an empty file and a damaged PNG are refused by name", async () => {
    await expect(decodePng(Uint8Array.of(0xff, 0xd8, 0xff), "a.png")).rejects.toThrow(
      '"a.png" is not a PNG: it begins with the signature of a JPEG',
    );
    await expect(decodePng(new Uint8Array(0))).rejects.toThrow("it is empty");
    const bytes = await encodePng({ width: 4, height: 4, channels: 1, data: new Uint8Array(16) });
    await expect(decodePng(bytes.subarray(0, 40), "a.png")).rejects.toThrow('"a.png" cannot be read');
  });

  test("without fast-png the message says what to install", async () => {
    vi.doMock("fast-png", () => {
      throw new Error("Cannot find package");
    });
    await expect(decodePng(new Uint8Array(4))).rejects.toThrow("npm install fast-png");
    vi.doUnmock("fast-png");
  });
});

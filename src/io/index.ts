/**
 * io: bytes to plain trees of named arrays and back, one format a file; and files written so that a crash or a full disk
 * never costs the old one.
 *
 * It is not: anything that knows a tensor, a layer or a model. What a config means is decided by the room that wrote it.
 *
 * @module chainrule/io
 */
export type { HostArray, Json, NamedArrays } from "./types.ts";
export { crc32 } from "./crc32.ts";
export { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
export type { Safetensors } from "./safetensors.ts";
export { decodeNpy, encodeNpy } from "./npy.ts";
export { decodeCheckpoint, decodeModelFile, encodeCheckpoint, encodeModelFile } from "./container.ts";
export type { Checkpoint, ModelFile } from "./container.ts";
export { decodePng, encodePng } from "./png.ts";
export type { Image } from "./png.ts";
export { appendToFile, fileExists, listFolder, readFileBytes, removeFile, writeFileSafely } from "./files.ts";
export { crc32c, encodeEvent, encodeRecord } from "./tfevents.ts";
export type { EventRecord, HistogramValue, ScalarValue } from "./tfevents.ts";
export { decodeImage, decodeJpeg } from "./jpeg.ts";
export { decodeWav, encodeWav } from "./wav.ts";
export type { Wav } from "./wav.ts";
export { encodeCsv, parseCsv } from "./csv.ts";
export type { CsvColumn, CsvOptions, CsvTable, CsvType } from "./csv.ts";
export { decodeHdf5 } from "./hdf5.ts";
export type { Hdf5 } from "./hdf5.ts";
export { decodeTar } from "./tar.ts";
export type { Listing } from "./files.ts";

import { pad, visibleWidth } from "./text.ts";

/** Grey values in 0..1, row by row; 1 is bright. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** Options of `drawImage`. */
export interface DrawOptions {
  /** Two pixels a character in 24 shades of grey; otherwise ten ASCII shades. */
  readonly colour?: boolean;
}

/** From dark to bright on a dark screen. */
const SHADES = " .:-=+*#%@";

/**
 * An image as lines of text, one column a pixel and one line two pixels high (a character is about twice as high as wide).
 *
 * @example console.log(drawImage({ width: 2, height: 2, data: Uint8Array.of(0, 255, 255, 0) }).join("\n"));
 */
export function drawImage(picture: Picture, options: DrawOptions = {}): string[] {
  const { width, height, data } = picture;
  const at = (y: number, x: number): number => Math.min(1, Math.max(0, y < height ? data[y * width + x] : 0));
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = "";
    let last = "";
    for (let x = 0; x < width; x++) {
      if (options.colour !== true) {
        const mean = y + 1 < height ? (at(y, x) + at(y + 1, x)) / 2 : at(y, x);
        line += SHADES[Math.min(SHADES.length - 1, Math.floor(mean * SHADES.length))];
        continue;
      }
      // The upper pixel is the character's colour, the lower one its background; repeated colours are not said again.
      const colours = `\x1b[38;5;${grey(at(y, x))};48;5;${grey(at(y + 1, x))}m`;
      line += colours === last ? "▀" : `${colours}▀`;
      last = colours;
    }
    lines.push(options.colour === true ? `${line}\x1b[0m` : line);
  }
  return lines;
}

/** The nearest of the 24 greys of the 256-colour palette. */
const grey = (v: number): number => 232 + Math.round(v * 23);

/**
 * Blocks of lines side by side, as many as fit into `columns`, then the next row of blocks below.
 *
 * @example arrangeBlocks([["a"], ["b"]], 10); // → "a  b"
 */
export function arrangeBlocks(blocks: readonly (readonly string[])[], columns: number, gap = 2): string {
  const width = Math.max(1, ...blocks.flat().map(visibleWidth));
  const perRow = Math.max(1, Math.floor((columns + gap) / (width + gap)));
  const out: string[] = [];
  for (let i = 0; i < blocks.length; i += perRow) {
    const row = blocks.slice(i, i + perRow);
    const height = Math.max(...row.map((b) => b.length));
    if (i > 0) out.push("");
    for (let y = 0; y < height; y++) {
      out.push(
        row
          .map((b) => pad(b[y] ?? "", width))
          .join(" ".repeat(gap))
          .trimEnd(),
      );
    }
  }
  return out.join("\n");
}

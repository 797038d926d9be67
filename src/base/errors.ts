/** Every error that Chainrule throws on purpose. The message says what, which operand, the rule and the likely repair. */
export class ChainruleError extends Error {
  override name = "ChainruleError";
}

/** Shapes that do not fit an operation. */
export class ShapeError extends ChainruleError {
  override name = "ShapeError";
}

/** A dtype that an operation does not take. */
export class DTypeError extends ChainruleError {
  override name = "DTypeError";
}

/** An argument outside its allowed values. */
export class ValueError extends ChainruleError {
  override name = "ValueError";
}

/** A file or byte stream that is not what it should be. */
export class FormatError extends ChainruleError {
  override name = "FormatError";
}

/** A value asked for where only its shape is known (inside `compiled`), or a tensor used after `dispose`. */
export class TraceError extends ChainruleError {
  override name = "TraceError";
}

/** `[2, 3]`, as shapes are written in messages. */
export const showShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** One mistake: the code that makes it, run as it stands, and the message it gets. */
export interface Mistake {
  /** What went wrong, in the words of the one who did it. */
  readonly mistake: string;
  /** The body of an async function that sees everything Chainrule exports, and the helpers of scope.ts. */
  readonly code: string;
  /** The whole message. */
  readonly message: string;
}

/** Mistakes of one kind, under one heading of the page. */
export interface Chapter {
  readonly title: string;
  readonly mistakes: readonly Mistake[];
}

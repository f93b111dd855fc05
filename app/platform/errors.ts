/** What a failure tells the person who can mend it. All fields are free of secrets. */
export interface ErrorFacts {
  /** Whether the same act may succeed later without anyone changing anything. */
  retryable?: boolean;
  found?: string;
  needed?: string;
  fix?: string;
  cause?: unknown;
}

const brand = Symbol.for("berth.error");

/**
 * The base of every failure that the code expects. `code` is stable and part of the API;
 * the message is a sentence that a person can act on.
 */
export class BerthError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly found: string | undefined;
  readonly needed: string | undefined;
  readonly fix: string | undefined;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = facts.retryable ?? false;
    this.found = facts.found;
    this.needed = facts.needed;
    this.fix = facts.fix;
  }

  get [brand](): true {
    return true;
  }

  /**
   * The web bundle and the server process each hold a copy of this module, so `instanceof
   * BerthError` goes by the brand. Subclasses keep the ordinary rule.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== BerthError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }
}

import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./auth.ts";
import { WeakPasswordError } from "./errors.ts";

/**
 * Length, and nothing about composition but that it is not one character over and over (NIST SP
 * 800-63B).
 * @throws WeakPasswordError
 */
export function requireGoodPassword(password: string): void {
  if (password.length < MIN_PASSWORD_LENGTH || password.length > MAX_PASSWORD_LENGTH) {
    throw new WeakPasswordError(
      `Use between ${MIN_PASSWORD_LENGTH} and ${MAX_PASSWORD_LENGTH} characters. A few words in a row make a good password.`,
    );
  }
  if (new Set(password).size < 4) {
    throw new WeakPasswordError("This repeats a few characters. A few words in a row are better.");
  }
}

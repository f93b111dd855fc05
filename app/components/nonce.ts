import { createContext, useContext } from "react";

/** The answer's nonce of the content security policy; empty in the browser, which hides it. */
export const NonceContext = createContext("");

/** The nonce that every `<script>` of this answer must carry. */
export function useNonce(): string {
  return useContext(NonceContext);
}
